import { connect as connectTcp, isIP, type Socket } from 'node:net'
import {
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls'
import { closedByPeer } from './failures.ts'

/** The other end, and how it is reached. */
export type Origin = {
  /** Value of the Host field. */
  readonly host: string
  readonly hostname: string
  readonly port: number
  /** Undefined: plain TCP. */
  readonly tls: TlsClient | undefined
}

type TlsClient = {
  readonly context: SecureContext
  /** The last session that the other end offered, by which the next connection costs less. */
  session: Buffer | undefined
}

/** @param url http or https; its path is not looked at */
export function originOf(url: URL, tls: SecureContextOptions | undefined): Origin {
  const isSecure = url.protocol === 'https:'
  return {
    host: url.host,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || (isSecure ? 443 : 80)),
    tls: isSecure ? { context: createSecureContext(tls), session: undefined } : undefined,
  }
}

/** What every socket reads into: each piece is dealt with before another is read. */
const readBuffer = Buffer.allocUnsafeSlow(65_536)

/** Who hears what happens to a socket. */
export type SocketListener = {
  /** Gets what was read, for as long as it runs. @returns whether more may be read */
  onRead(bytes: Buffer): boolean
  /** Requests can be written; called once. */
  onOpen(): void
  /** The other end says no more. */
  onEnd(): void
  /** It failed, or is closed; may be called more than once. */
  onFailure(error: Error): void
}

/** Begin to connect. */
export function openSocket(origin: Origin, listener: SocketListener): Socket {
  return connect(origin, listener)
    .once(origin.tls === undefined ? 'connect' : 'secureConnect', () => {
      listener.onOpen()
    })
    .on('end', () => {
      listener.onEnd()
    })
    .on('error', (error) => {
      listener.onFailure(error)
    })
    .on('close', () => {
      listener.onFailure(closedByPeer())
    })
}

function connect({ hostname, port, tls }: Origin, listener: SocketListener): Socket {
  const options = {
    host: hostname,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
    onread: {
      buffer: readBuffer,
      callback: (count: number, bytes: Buffer) => listener.onRead(bytes.subarray(0, count)),
    },
  }
  if (tls === undefined) return connectTcp(options)
  const socket = connectTls({
    ...options,
    secureContext: tls.context,
    ALPNProtocols: ['http/1.1'],
    ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
    ...(tls.session === undefined ? {} : { session: tls.session }),
  })
  // Of the options, a connection with TLS takes neither.
  socket.setNoDelay(true).setKeepAlive(true, options.keepAliveInitialDelay)
  socket.on('session', (session) => {
    tls.session = session
  })
  return socket
}
