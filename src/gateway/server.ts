import {
  createServer,
  IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ErrorCode } from '../errors/catalogue.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import { sendRaw } from './answer.ts'
import { createRoster } from '../limits/roster.ts'
import { newConnection, type ConnectionState } from './connection-state.ts'
import { abandon, whenEnded, type Exchange } from './exchange.ts'
import { createHttp2Sessions } from './http2-sessions.ts'
import type { Listener } from './listener.ts'
import { servePlain } from './plain/plain-connections.ts'
import type { PlainIncoming } from './plain/plain-incoming.ts'
import type { PlainOutgoing } from './plain/plain-outgoing.ts'
import { expectsContinue } from './request-body.ts'
import { parserErrorCode, type ParserError } from './parser-error.ts'
import { expectProxyHeader } from './proxy-protocol.ts'
import { SecuredResponse, strictTransport } from './secured-response.ts'
import type { ServerLimits } from './server-limits.ts'
import type { TlsIdentity } from './tls.ts'
import { divert, securedBy, tlsFailure, type TlsListening } from './tls-server.ts'
import { openUpgrade, type Upgrade } from './upgrade.ts'

/** The public server. */
export type PublicServer = {
  listen(address: { readonly host: string; readonly port: number }): Promise<AddressInfo>
  /** Requests whose response has not ended. */
  readonly inFlight: () => number
  /** Resolves when every request that is in flight now has ended. */
  readonly settled: () => Promise<void>
  /** Show another certificate to connections to come. */
  readonly renew: (identity: TlsIdentity) => void
  /** Go on answering, but close each connection with its next answer, so that callers turn elsewhere. */
  retire(): void
  /**
   * Take no new connections, let requests in flight finish, and close. Those that have not been
   * answered after `timeoutMs` are answered SHUTTING_DOWN; those half answered are cut.
   */
  drain(timeoutMs: number): Promise<void>
}

/**
 * Plain requests are read as they come; whatever else comes goes to Node's HTTP server, with every exit
 * that would bypass the chain closed: whatever its parser refuses, times out or treats as special is
 * answered in the envelope too.
 *
 * @param tls undefined: plain HTTP, for loopback and trusted proxies
 * @param isTrustedProxy given where connections begin with a PROXY protocol header: who may send one
 */
export function createPublicServer(
  limits: ServerLimits,
  listener: Listener,
  tls?: TlsListening,
  isTrustedProxy?: (address: string) => boolean,
): PublicServer {
  const open = createRoster<Exchange>()
  const connections = new WeakMap<Duplex, ConnectionState>()
  let isRetiring = false
  let isDraining = false

  const options = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    // Bodies stream for as long as they like; each stream has an idle timer of its own.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: 1_000,
    // A missing Host is refused at ingress, in the envelope.
    requireHostHeader: false,
    // No stream is set up for a body that is not there.
    optimizeEmptyRequests: true,
    noDelay: true,
    ServerResponse: SecuredResponse,
  }
  const secured = tls && createTlsServer({ ...options, ...securedBy(tls, limits) })
  const server: HttpServer<typeof IncomingMessage, typeof SecuredResponse> =
    secured ?? createServer(options)
  const security = tls === undefined ? [] : strictTransport(tls.hstsSeconds)
  const http2 =
    tls?.http2 === true
      ? createHttp2Sessions({ limits, listener, always: security, entered: enter })
      : undefined
  const plain = servePlain(server, secured === undefined ? 'connection' : 'secureConnection', {
    limits,
    onRequest,
    onOther(socket, state) {
      connections.set(socket, state)
    },
    onUnreadable: refuseDetached,
  })
  if (secured !== undefined && http2 !== undefined) divert(secured, http2)
  if (isTrustedProxy !== undefined) {
    expectProxyHeader(server, { isTrusted: isTrustedProxy, timeoutMs: limits.headersTimeoutMs })
  }
  // Node would drop the fields above its own count in silence; ingress counts and refuses.
  server.maxHeadersCount = 0
  // Node looks at its end whether anything was taken since, so it takes up to twice as long.
  server.timeout = limits.idleTimeoutMs

  function onRequest(
    connection: ConnectionState,
    incoming: IncomingMessage | PlainIncoming,
    outgoing: SecuredResponse | PlainOutgoing,
    upgrade?: Upgrade,
  ): void {
    outgoing.security = security
    if (isLast(connection)) return
    connection.requests += 1
    if (isRetiring || connection.requests >= limits.maxRequestsPerConnection) {
      outgoing.shouldKeepAlive = false
    }
    const exchange = listener.handle(incoming, outgoing, upgrade)
    if (exchange === undefined) {
      connection.isClosing = true
      return
    }
    connection.exchange = exchange
    enter(exchange)
    whenEnded(exchange, () => {
      connection.isClosing ||= !outgoing.shouldKeepAlive
      if (!incoming.complete) boundRest(incoming)
      connection.isKnown ||= exchange.notes.authentication !== undefined
      if (connection.exchange !== exchange) return
      connection.exchange = undefined
      if (!connection.isKnown && incoming instanceof IncomingMessage) {
        incoming.socket.setTimeout(limits.headersTimeoutMs)
      }
      // Its head may have gone out before the drain, and promised to keep the connection.
      if (isDraining) incoming.socket.destroySoon()
    })
  }

  /**
   * What comes behind the last request of a connection is not handled (RFC 9112 §9.6): its sender
   * never sees an answer, and behind refused framing it may be what another reader takes for a body.
   */
  function isLast({ isClosing, exchange }: ConnectionState): boolean {
    return isClosing || exchange?.outgoing.shouldKeepAlive === false
  }

  /** The rest of a body that nobody wants is awaited, so that the connection can be used on; not at leisure. */
  function boundRest(incoming: IncomingMessage | PlainIncoming): void {
    setTimeout(() => {
      if (!incoming.complete) incoming.socket.destroy()
    }, limits.headersTimeoutMs).unref()
  }

  /** A connection has rested, or carried nothing, for its time: an upstream may take it, a reader may not. */
  function onTimeout(socket: Socket): void {
    const { requests, exchange } = connectionOf(socket)
    // Who has not asked for anything yet is told so when the time for a head is over.
    if (requests === 0) return
    if (exchange === undefined || socket.writableLength > 0) socket.destroy()
  }

  function take(incoming: IncomingMessage, outgoing: SecuredResponse, upgrade?: Upgrade): void {
    onRequest(connectionOf(incoming.socket), incoming, outgoing, upgrade)
  }

  function enter(exchange: Exchange): void {
    const place = open.enter(exchange)
    whenEnded(exchange, () => {
      open.leave(place)
    })
  }

  function retire(): void {
    isRetiring = true
    http2?.retire()
    for (const { outgoing } of open.members()) {
      // A head that is out has promised to keep the connection.
      if (!outgoing.headersSent) outgoing.shouldKeepAlive = false
    }
  }

  function connectionOf(socket: Duplex): ConnectionState {
    const known = connections.get(socket)
    if (known !== undefined) return known
    const connection = newConnection()
    connections.set(socket, connection)
    return connection
  }

  function onClientError(error: ParserError, socket: Duplex): void {
    const connection = connections.get(socket)
    const exchange = connection?.exchange
    // What failed before TLS was agreed cannot be answered.
    if (error.code === 'ECONNRESET' || !socket.writable || tlsFailure.test(error.code ?? '')) {
      socket.destroy()
    } else if (exchange === undefined) {
      // A refusal that is on its way is the only answer; it closes the connection.
      if (connection?.isClosing !== true) refuseRaw(socket, parserErrorCode(error), error)
    } else if (exchange.outgoing.headersSent || error.code === 'HPE_INVALID_EOF_STATE') {
      // Half an answer cannot be mended, and a client that closed within its request waits for none.
      socket.destroy()
    } else if (exchange.incoming.complete) {
      closeAfter(exchange)
    } else {
      abandon(exchange, new GatewayError('REQUEST_MALFORMED', { cause: error }))
    }
  }

  /** Something that cannot be answered follows a sound request: its answer goes first, and alone. */
  function closeAfter({ incoming, outgoing }: Exchange): void {
    outgoing.shouldKeepAlive = false
    outgoing.once('finish', () => incoming.socket.destroy())
  }

  /** @param socket one that Node's server has let go of, with its listeners */
  function refuseDetached(socket: Duplex, code: ErrorCode): void {
    // Node has taken its own listener off, and an error that nobody listens to ends the process.
    socket.on('error', () => socket.destroy())
    const exchange = connections.get(socket)?.exchange
    if (exchange === undefined) refuseRaw(socket, code)
    else closeAfter(exchange)
  }

  function refuseRaw(socket: Duplex, code: ErrorCode, cause?: unknown): void {
    const peer = 'remoteAddress' in socket ? String(socket.remoteAddress) : ''
    const answer = listener.unreadable(new GatewayError(code, { cause }), peer)
    sendRaw(socket, { ...answer, fields: [...answer.fields, ...security] })
  }

  function refuse(incoming: IncomingMessage, outgoing: ServerResponse, code: ErrorCode): void {
    const connection = connectionOf(incoming.socket)
    if (isLast(connection)) return
    connection.isClosing = true
    listener.refuse(incoming, outgoing, new GatewayError(code))
  }

  server.on('request', (incoming, outgoing) => {
    // The parser takes 0.9 and 2.0 for versions too, and frames them as if they were 1.1.
    if (incoming.httpVersionMajor === 1) take(incoming, outgoing)
    else refuse(incoming, outgoing, 'REQUEST_MALFORMED')
  })
  // Node would send 100 Continue before anybody is authenticated; the body's first read sends it.
  server.on('checkContinue', (incoming, outgoing) => {
    // Node finds the word also within other expectations.
    if (expectsContinue(incoming)) take(incoming, outgoing)
    else refuse(incoming, outgoing, 'EXPECTATION_FAILED')
  })
  server.on('checkExpectation', (incoming, outgoing) => {
    refuse(incoming, outgoing, 'EXPECTATION_FAILED')
  })
  server.on('connect', (_incoming, socket) => {
    refuseDetached(socket, 'METHOD_NOT_IMPLEMENTED')
  })
  server.on('upgrade', (incoming, socket, early) => {
    const { exchange, isClosing } = connectionOf(incoming.socket)
    const isAlone = exchange === undefined && !isClosing
    const opened = isAlone ? openUpgrade(incoming, socket, early) : undefined
    if (opened === undefined) {
      refuseDetached(socket, 'UPGRADE_NOT_IMPLEMENTED')
      return
    }
    take(incoming, opened.outgoing, opened.upgrade)
  })
  server.on('clientError', onClientError)
  server.on('timeout', onTimeout)

  return {
    listen: ({ host, port }) => listenOn(server, host, port),
    inFlight: open.count,
    renew({ options: identity }) {
      secured?.setSecureContext(identity)
    },
    async settled() {
      const ends = Array.from(
        open.members(),
        (exchange) =>
          new Promise<void>((resolve) => {
            whenEnded(exchange, resolve)
          }),
      )
      await Promise.all(ends)
    },
    retire,
    async drain(timeoutMs) {
      retire()
      isDraining = true
      const closed = new Promise<void>((resolve) =>
        server.close(() => {
          resolve()
        }),
      )
      plain.closeResting()
      const timer = setTimeout(() => {
        for (const exchange of open.members()) abandon(exchange, new GatewayError('SHUTTING_DOWN'))
        setTimeout(() => {
          server.closeAllConnections()
          plain.destroy()
          http2?.destroy()
        }, 1_000)
      }, timeoutMs)
      await closed
      clearTimeout(timer)
    },
  }
}

/** Listen, and say where; rejects where the address cannot be had. */
export function listenOn(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      // A TCP server's address is an AddressInfo; the type also covers pipes and closed servers.
      resolve(server.address() as AddressInfo)
    })
  })
}
