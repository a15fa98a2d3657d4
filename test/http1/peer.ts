import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A connection as the other end has it. */
export type PeerConnection = {
  readonly socket: Socket
  /** All that came on it, as latin1. */
  text: string
  /** How many requests have come whole, where none has a body, or one that holds no empty line. */
  requests: number
  /** Whether it has ended, or was cut. */
  isClosed: boolean
  /** Write these bytes as they are. @param text latin1 */
  write(text: string): void
}

/** Called whenever bytes came, with how many requests have come whole on this connection. */
export type PeerListener = (connection: PeerConnection, requests: number) => void

/** The other end of a pool, which says what a test tells it to, byte for byte. */
export type Peer = {
  readonly url: URL
  readonly port: number
  /** In the order in which they were opened; those that are closed stay. */
  readonly connections: readonly PeerConnection[]
  listener: PeerListener
  onConnection: (connection: PeerConnection) => void
  /** Wait for a connection, by its place, and until so many requests have come on it. */
  heard(place: number, requests?: number): Promise<PeerConnection>
  /** How many connections are open. */
  open(): number
  close(): Promise<void>
}

export async function startPeer(): Promise<Peer> {
  return peerOn(createServer({ noDelay: true }), 'http')
}

/** Let a server, plain or of TLS, listen on the loopback address as a peer. */
export async function peerOn(server: Server, scheme: 'http' | 'https'): Promise<Peer> {
  const connections: PeerConnection[] = []
  server.on(scheme === 'http' ? 'connection' : 'secureConnection', (socket: Socket) => {
    let tail = ''
    const connection: PeerConnection = {
      socket,
      text: '',
      requests: 0,
      isClosed: false,
      write: (text) => socket.write(text, 'latin1'),
    }
    connections.push(connection)
    peer.onConnection(connection)
    socket.on('error', () => undefined)
    socket.on('close', () => (connection.isClosed = true))
    socket.on('end', () => (connection.isClosed = true))
    socket.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1')
      // A head may end across two pieces.
      connection.requests += headsIn(tail + text)
      tail = (tail + text).slice(-3)
      connection.text += text
      peer.listener(connection, connection.requests)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const peer: Peer = {
    url: new URL(`${scheme}://127.0.0.1:${port}`),
    port,
    connections,
    listener: () => undefined,
    onConnection: () => undefined,
    async heard(place, requests = 1) {
      await turnsUntil(() => (connections[place]?.requests ?? 0) >= requests)
      return at(connections, place)
    },
    open: () => connections.filter(({ isClosed }) => !isClosed).length,
    async close() {
      for (const { socket } of connections) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return peer
}

function headsIn(text: string): number {
  return text.split('\r\n\r\n').length - 1
}

/** @throws {RangeError} where nothing is there */
export function at<T>(list: readonly T[], place: number): T {
  const found = list[place]
  if (found === undefined) throw new RangeError(`Nothing at ${place}`)
  return found
}

/** Answer each request with this. */
export function answering(answer: string | ((target: string) => string)): PeerListener {
  return (connection, requests) => {
    const target = connection.text.split('\r\n\r\n')[requests - 1]?.split(' ')[1] ?? ''
    connection.write(typeof answer === 'string' ? answer : answer(target))
  }
}

/** An answer of 200 with this body. */
export function ok(body: string, ...fields: readonly string[]): string {
  const lines = ['HTTP/1.1 200 OK', `Content-Length: ${body.length}`, ...fields, '', body]
  return lines.join('\r\n')
}

/**
 * Wait until something holds, looking once a turn of the event loop: also where a test keeps the clock.
 *
 * @throws {Error} when it does not hold within ten seconds
 */
export async function turnsUntil(holds: () => boolean): Promise<void> {
  const begun = process.hrtime.bigint()
  while (!holds()) {
    if (process.hrtime.bigint() - begun > 10_000_000_000n) throw new Error('It did not hold')
    await turn()
  }
}

/** Let one turn of the event loop pass, so that what was written arrives. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
