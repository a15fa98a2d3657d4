import { connect as connectTcp, isIP, type Socket } from 'node:net'
import {
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls'

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

/**
 * Begin to connect.
 *
 * @param onRead gets what was read, for as long as it runs; returns whether more may be read
 * @param onOpen called once requests can be written
 */
export function openSocket(
  { hostname, port, tls }: Origin,
  onRead: (bytes: Buffer) => boolean,
  onOpen: () => void,
): Socket {
  const options = {
    host: hostname,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
    onread: {
      buffer: readBuffer,
      callback: (count: number, bytes: Buffer) => onRead(bytes.subarray(0, count)),
    },
  }
  if (tls === undefined) return connectTcp(options).once('connect', onOpen)
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
  return socket.once('secureConnect', onOpen)
}
