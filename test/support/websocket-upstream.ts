import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** A WebSocket server on loopback (RFC 6455): short texts, unfragmented, and the closing handshake. */
export type WebSocketUpstream = {
  readonly url: string
  /** The handshakes that reached it. */
  readonly handshakes: IncomingMessage[]
  /** Connections that were upgraded and are open. */
  readonly sockets: Set<Socket>
  /** Bytes that came on upgraded connections. */
  received(): number
  /** What is done in place of a handshake, for handshakes to come; undefined: the handshake. */
  behave(instead: ((incoming: IncomingMessage, socket: Socket) => void) | undefined): void
  close(): Promise<void>
}

export async function webSocketUpstream(): Promise<WebSocketUpstream> {
  const handshakes: IncomingMessage[] = []
  const sockets = new Set<Socket>()
  let received = 0
  let instead: Parameters<WebSocketUpstream['behave']>[0]
  const server = createServer((_incoming, outgoing) => outgoing.writeHead(426).end())
  server.on('upgrade', (incoming) => {
    const { socket } = incoming
    handshakes.push(incoming)
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('end', () => socket.end())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes: Buffer) => (received += bytes.length))
    if (instead !== undefined) {
      instead(incoming, socket)
      return
    }
    socket.write(agreement(incoming))
    echo(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    handshakes,
    sockets,
    received: () => received,
    behave: (next) => {
      instead = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** The 101 with which a server agrees (RFC 6455 §4.2.2). */
export function agreement({ headers }: IncomingMessage): string {
  const accept = createHash('sha1')
    .update(`${headers['sec-websocket-key'] ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\nServer: theirs\r\n\r\n`
}

/** Send texts back, and answer a close with a close (RFC 6455 §5.5.1). */
function echo(socket: Socket): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes])
    for (let frame = frameOf(rest); frame !== undefined; frame = frameOf(rest)) {
      rest = rest.subarray(frame.length)
      socket.write(unmasked(frame))
      if (frame.opcode === 8) socket.end()
    }
  })
}

type Frame = { readonly opcode: number; readonly payload: Buffer; readonly length: number }

/** A client's frame of up to 65,535 bytes, once it is whole (RFC 6455 §5.2). */
function frameOf(bytes: Buffer): Frame | undefined {
  if (bytes.length < 4) return undefined
  const short = bytes.readUInt8(1) & 0x7f
  const size = short === 126 ? bytes.readUInt16BE(2) : short
  const maskAt = short === 126 ? 4 : 2
  const length = maskAt + 4 + size
  if (bytes.length < length) return undefined
  const mask = bytes.subarray(maskAt, maskAt + 4)
  const payload = bytes
    .subarray(maskAt + 4, length)
    .map((byte, place) => byte ^ (mask[place % 4] ?? 0))
  return { opcode: bytes.readUInt8(0) & 0x0f, payload: Buffer.from(payload), length }
}

function unmasked({ opcode, payload }: Frame): Buffer {
  const head =
    payload.length < 126
      ? [0x80 | opcode, payload.length]
      : [0x80 | opcode, 126, payload.length >> 8, payload.length & 0xff]
  return Buffer.concat([Buffer.from(head), payload])
}
