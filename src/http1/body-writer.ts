import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { framing } from './request-head.ts'

/** A body on its way to a connection. */
export type BodyWriter = {
  /** Whether anything of the request has been written, so that there can be an answer. */
  readonly hasBegun: boolean
  /** Stop, because the answer needs no more of it, or nobody waits for the answer. */
  cancel(): void
}

/** What is sent, and who hears how it goes; one of `onSent` and `onError` is called, and last. */
export type Sending = {
  readonly method: string
  /** Up to the fields of the framing. */
  readonly head: string
  readonly stream: Readable
  /** Undefined: chunked. */
  readonly bytes: number | undefined
  /** The other end took what it was behind with. */
  onDrain(): void
  onSent(): void
  onError(error: Error): void
}

/**
 * Write head and body with back-pressure. The head leaves with the first piece, so that a short request is
 * one write.
 *
 * Fails with what the stream fails with, or a {TypeError} where it gives another number of bytes than it said.
 */
export function writeBody(socket: Socket, sending: Sending): BodyWriter {
  const { stream, bytes, method } = sending
  let sent = 0
  let isOver = false
  let begun = false

  function onData(piece: Buffer): void {
    // As a chunk, it would be the last.
    if (piece.length === 0) return
    sent += piece.length
    if (bytes !== undefined && sent > bytes) {
      fail(new TypeError('A body that is longer than it said'))
      return
    }
    socket.cork()
    begin()
    if (bytes === undefined) socket.write(`${piece.length.toString(16)}\r\n`, 'latin1')
    socket.write(piece)
    if (bytes === undefined) socket.write('\r\n', 'latin1')
    socket.uncork()
    if (socket.writableNeedDrain) stream.pause()
  }

  function begin(): void {
    if (begun) return
    begun = true
    socket.write(sending.head + framing(method, bytes), 'latin1')
  }

  function onEnd(): void {
    if (bytes !== undefined && sent < bytes) {
      fail(new TypeError('A body that is shorter than it said'))
      return
    }
    begin()
    if (bytes === undefined) socket.write('0\r\n\r\n', 'latin1')
    settle()
    sending.onSent()
  }

  function onDrain(): void {
    sending.onDrain()
    stream.resume()
  }

  function onClose(): void {
    fail(new Error('A body that was given up'))
  }

  function fail(error: Error): void {
    if (isOver) return
    settle()
    stream.destroy()
    sending.onError(error)
  }

  function settle(): void {
    isOver = true
    socket.off('drain', onDrain)
    stream.off('data', onData).off('end', onEnd).off('close', onClose)
  }

  socket.on('drain', onDrain)
  // It says nothing any more.
  if (stream.destroyed) process.nextTick(onClose)
  // The listener for errors stays: a stream that is destroyed later must not end the process.
  stream.on('error', fail).on('data', onData).on('end', onEnd).on('close', onClose)
  return {
    get hasBegun() {
      return begun
    },
    cancel() {
      if (isOver) return
      settle()
      stream.destroy()
    },
  }
}
