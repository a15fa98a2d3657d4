import type { Server as HttpsServer } from 'node:https'
import type { Http2Sessions } from './http2-sessions.ts'
import type { ServerLimits } from './server-limits.ts'
import type { TlsIdentity } from './tls.ts'

/** How a listener that speaks TLS itself does. */
export type TlsListening = {
  /** Whether callers may agree on HTTP/2. */
  readonly http2: boolean
  readonly identity: TlsIdentity
  /** How long browsers remember never to come without TLS (RFC 6797). */
  readonly hstsSeconds: number
}

/** Codes of errors of a connection on which TLS was not agreed. */
export const tlsFailure = /^(?:ERR_SSL_|ERR_TLS_|EPROTO$)/

/** What a server of HTTPS is made with besides. */
export function securedBy({ identity, http2 }: TlsListening, { headersTimeoutMs }: ServerLimits) {
  // A handshake may take no longer than the head that follows it.
  return {
    ...identity.options,
    ALPNProtocols: http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    rejectUnauthorized: true,
    handshakeTimeout: headersTimeoutMs,
  }
}

/** Connections that agreed on HTTP/2 are not for Node's parser of HTTP/1.1. */
export function divert(server: HttpsServer, http2: Http2Sessions): void {
  const toHttp1 = server.listeners('secureConnection')
  server.removeAllListeners('secureConnection')
  server.on('secureConnection', (socket) => {
    if (socket.alpnProtocol === 'h2') http2.accept(socket)
    else for (const take of toHttp1) take.call(server, socket)
  })
}
