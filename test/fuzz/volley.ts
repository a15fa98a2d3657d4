import { connect } from 'node:net'

const answerMs = 300
const moreMs = 25

/**
 * Send bytes on a connection of their own, and give up on it soon after an answer has begun: what is
 * malformed may be waited for by its receiver for as long as it likes.
 *
 * @param bytes in latin1
 * @returns what came back, in latin1
 */
export function volley(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    let timer = setTimeout(end, answerMs)
    function end(): void {
      clearTimeout(timer)
      socket.destroy()
      resolve(received)
    }
    socket.once('connect', () => socket.write(Buffer.from(bytes, 'latin1')))
    socket.on('data', (piece: Buffer) => {
      received += piece.toString('latin1')
      clearTimeout(timer)
      timer = setTimeout(end, moreMs)
    })
    // A refusal may be reset while we still send; what came back counts.
    socket.on('error', () => undefined)
    socket.once('close', end)
  })
}
