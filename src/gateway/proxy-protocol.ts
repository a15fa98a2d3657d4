import type { Server, Socket } from 'node:net'
import { readProxyHeader, type ProxyHeader } from './proxy-header.ts'

type Options = {
  /** Whether a peer's address is one whose word counts; all others are cut. */
  readonly isTrusted: (address: string) => boolean
  /** How long a peer has for its header. */
  readonly timeoutMs: number
}

/**
 * Have a server read a PROXY protocol header on each connection before anything else, TLS included:
 * the address in it stands for the peer's from then on. A connection without one, or from a peer
 * that is not trusted, is cut: nobody could tell who calls.
 *
 * @param server before it listens, with the listener of its own that takes connections
 */
export function expectProxyHeader(server: Server, { isTrusted, timeoutMs }: Options): void {
  // By the peer's address and port, which TLS on top of the connection knows too.
  const addresses = new Map<string, { readonly address: string }>()
  const take = server.listeners('connection')
  server.removeAllListeners('connection')

  server.on('connection', (socket: Socket) => {
    if (!isTrusted(socket.remoteAddress ?? '')) {
      socket.destroy()
      return
    }
    readHeader(socket, timeoutMs, (header) => {
      if (header.kind === 'proxied') remember(socket, header.address)
      for (const run of take) run.call(server, socket)
    })
  })
  server.prependListener('secureConnection', (socket: Socket) => {
    const known = addresses.get(keyOf(socket))
    if (known !== undefined) standFor(socket, known.address)
  })

  function remember(socket: Socket, address: string): void {
    const key = keyOf(socket)
    const entry = { address }
    addresses.set(key, entry)
    standFor(socket, address)
    socket.once('close', () => {
      // The port may have come back, with another connection, before this one is known to be closed.
      if (addresses.get(key) === entry) addresses.delete(key)
    })
  }
}

/** Read the header; what comes behind it is left to be read. Cuts what is none, or takes too long. */
function readHeader(socket: Socket, timeoutMs: number, found: (header: ProxyHeader) => void): void {
  let bytes = Buffer.alloc(0)
  const cut = (): void => {
    socket.destroy()
  }
  const timer = setTimeout(cut, timeoutMs)
  const stop = (): void => {
    clearTimeout(timer)
    socket.off('readable', onReadable).off('error', cut).off('end', cut).off('close', stop)
  }
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null
    if (chunk === null) return
    bytes = Buffer.concat([bytes, chunk])
    const header = readProxyHeader(bytes)
    if (header.kind === 'incomplete') return
    stop()
    if (header.kind === 'invalid') {
      cut()
      return
    }
    if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length))
    found(header)
  }
  socket.on('readable', onReadable).on('error', cut).on('end', cut).once('close', stop)
}

function standFor(socket: Socket, address: string): void {
  Object.defineProperty(socket, 'remoteAddress', { value: address })
}

function keyOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress}|${remotePort}`
}
