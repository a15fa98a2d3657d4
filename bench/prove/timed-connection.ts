import { connect } from 'node:net'

/** One connection for one request after the other, timed as closely as this process can. */
export type TimedConnection = Disposable & {
  /**
   * @param request head and body, as they go over the wire
   * @returns microseconds from the last byte written to the last one read
   * @throws {Error} where the answer's status is another, or the connection breaks
   */
  time(request: Buffer, expectedStatus: number): Promise<number>
}

export async function openTimedConnection(port: number): Promise<TimedConnection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject)
  })
  let received = ''
  let answered: ((nowNs: bigint) => void) | undefined
  let broken: (error: Error) => void = () => undefined
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    const nowNs = process.hrtime.bigint()
    received += text
    if (isWhole(received)) answered?.(nowNs)
  })
  const end = (): void => {
    broken(new Error('The connection broke'))
  }
  socket.on('error', end).on('close', end)

  return {
    async time(request, expectedStatus) {
      if (socket.destroyed) throw new Error('The connection is closed')
      received = ''
      const answer = new Promise<bigint>((resolve, reject) => {
        answered = resolve
        broken = reject
      })
      const beganNs = process.hrtime.bigint()
      socket.write(request)
      const endedNs = await answer
      if (!received.startsWith(`HTTP/1.1 ${expectedStatus} `))
        throw new Error(`The answer was ${received.slice(0, 40)}`)
      return Number(endedNs - beganNs) / 1_000
    },
    [Symbol.dispose]: () => socket.destroy(),
  }
}

function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n')
  if (head < 0) return false
  const [, length] = /^content-length: (\d+)\r$/im.exec(text.slice(0, head + 2)) ?? []
  return text.length >= head + 4 + Number(length ?? 0)
}
