import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ErrorCode } from '../errors/catalogue.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import { sendRaw } from './answer.ts'
import { createRoster } from '../limits/roster.ts'
import { abandon, whenEnded, type Exchange } from './exchange.ts'
import type { Listener } from './listener.ts'

/** Bounds on connections and on how their requests arrive. */
export type ServerLimits = {
  readonly maxHeaderBytes: number
  /** Longest time for a request's head to arrive. */
  readonly headersTimeoutMs: number
  /** How long an idle connection is kept. */
  readonly keepAliveTimeoutMs: number
  readonly maxRequestsPerConnection: number
}

/** The public server. */
export type PublicServer = {
  listen(address: { readonly host: string; readonly port: number }): Promise<AddressInfo>
  /** Requests whose response has not ended. */
  readonly inFlight: () => number
  /** Resolves when every request that is in flight now has ended. */
  readonly settled: () => Promise<void>
  /** Go on answering, but close each connection with its next answer, so that callers turn elsewhere. */
  retire(): void
  /**
   * Take no new connections, let requests in flight finish, and close. Those that have not been
   * answered after `timeoutMs` are answered SHUTTING_DOWN; those half answered are cut.
   */
  drain(timeoutMs: number): Promise<void>
}

/** What is known of one connection. */
type Connection = { requests: number; exchange: Exchange | undefined }

/**
 * Node's HTTP server with every exit that would bypass the chain closed: whatever its parser
 * refuses, times out or treats as special is answered in the envelope too.
 */
export function createPublicServer(limits: ServerLimits, listener: Listener): PublicServer {
  const open = createRoster<Exchange>()
  const connections = new WeakMap<Duplex, Connection>()
  let isRetiring = false
  let isDraining = false

  const server = createServer({
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
  })
  // Node would drop the fields above its own count in silence; ingress counts and refuses.
  server.maxHeadersCount = 0

  function onRequest(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const connection = connectionOf(incoming.socket)
    connection.requests += 1
    if (isRetiring || connection.requests >= limits.maxRequestsPerConnection) {
      outgoing.shouldKeepAlive = false
    }
    const exchange = listener.handle(incoming, outgoing)
    if (exchange === undefined) return
    connection.exchange = exchange
    const place = open.enter(exchange)
    whenEnded(exchange, () => {
      open.leave(place)
      if (connection.exchange !== exchange) return
      connection.exchange = undefined
      // Its head may have gone out before the drain, and promised to keep the connection.
      if (isDraining) incoming.socket.destroySoon()
    })
  }

  function retire(): void {
    isRetiring = true
    for (const { outgoing } of open.members()) outgoing.shouldKeepAlive = false
  }

  function connectionOf(socket: Duplex): Connection {
    const known = connections.get(socket)
    if (known !== undefined) return known
    const connection: Connection = { requests: 0, exchange: undefined }
    connections.set(socket, connection)
    return connection
  }

  function onClientError(error: ParserError, socket: Duplex): void {
    const exchange = connections.get(socket)?.exchange
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
    } else if (exchange === undefined) {
      refuseRaw(socket, codeOf(error), error)
    } else if (exchange.outgoing.headersSent || error.code === 'HPE_INVALID_EOF_STATE') {
      // Half an answer cannot be mended, and a client that closed within its request waits for none.
      socket.destroy()
    } else if (exchange.incoming.complete) {
      // The broken bytes follow a sound request: its answer goes first, then the connection.
      exchange.outgoing.shouldKeepAlive = false
      exchange.outgoing.once('finish', () => socket.destroy())
    } else {
      abandon(exchange, new GatewayError('REQUEST_MALFORMED', { cause: error }))
    }
  }

  function refuseRaw(socket: Duplex, code: ErrorCode, cause?: unknown): void {
    const peer = 'remoteAddress' in socket ? String(socket.remoteAddress) : ''
    sendRaw(socket, listener.unreadable(new GatewayError(code, { cause }), peer))
  }

  server.on('request', onRequest)
  // Node would send 100 Continue before anybody is authenticated; the body's first read sends it.
  server.on('checkContinue', onRequest)
  server.on('checkExpectation', (incoming, outgoing) => {
    listener.refuse(incoming, outgoing, new GatewayError('EXPECTATION_FAILED'))
  })
  server.on('connect', (_incoming, socket) => {
    refuseRaw(socket, 'METHOD_NOT_IMPLEMENTED')
  })
  server.on('upgrade', (_incoming, socket) => {
    refuseRaw(socket, 'UPGRADE_NOT_IMPLEMENTED')
  })
  server.on('clientError', onClientError)

  return {
    listen: ({ host, port }) => listenOn(server, host, port),
    inFlight: open.count,
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
      const timer = setTimeout(() => {
        for (const exchange of open.members()) abandon(exchange, new GatewayError('SHUTTING_DOWN'))
        setTimeout(() => {
          server.closeAllConnections()
        }, 1_000)
      }, timeoutMs)
      await closed
      clearTimeout(timer)
    },
  }
}

/** What Node adds to an error of its parser. */
type ParserError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer }

function codeOf(error: ParserError): ErrorCode {
  // The parser says the same of an unknown method as of bytes that are no HTTP at all.
  if (error.code === 'HPE_INVALID_METHOD' && !requestLine.test(String(error.rawPacket))) {
    return 'REQUEST_MALFORMED'
  }
  return parserErrors[error.code ?? ''] ?? 'REQUEST_MALFORMED'
}

const requestLine = /^[A-Za-z-]{1,32} \S+ HTTP\/1\.[01]\r\n/

/** Node's parser and timer errors that say more than that the bytes are no HTTP. */
const parserErrors: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'BODY_TOO_LARGE',
  HPE_INVALID_METHOD: 'METHOD_NOT_IMPLEMENTED',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
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
