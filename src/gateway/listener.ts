import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import type { GatewayError } from '../errors/gateway-error.ts'
import { capped, reasonOf, type WriteAccess } from './access-log.ts'
import { errorAnswer, send, type Answer } from './answer.ts'
import type { FindClient } from './client.ts'
import { blankNotes, type Exchange, type GatewayEnv } from './exchange.ts'
import { readHead, type HeadLimits } from './ingress.ts'
import type { Incoming, Outgoing } from './message.ts'
import { asGatewayError } from './steps/refuse.ts'
import type { Upgrade } from './upgrade.ts'

/** What the listener needs beside the chain. */
export type ListenerParts = {
  readonly chain: Hono<GatewayEnv>
  readonly headLimits: HeadLimits
  readonly findClient: FindClient
  /** Whether the listener can be reached from this machine only, so that plain HTTP is safe. */
  readonly loopback: boolean
  /** Whether it speaks TLS itself. */
  readonly encrypted: boolean
  /** Fields of answers where a trusted proxy speaks TLS; the server itself has them where we do. */
  readonly securityBehindProxy: readonly string[]
  readonly publicOrigin: string
  readonly writeAccess: WriteAccess
}

/** Takes requests into the chain. */
export type Listener = {
  /** @returns the exchange, or undefined where the head was refused */
  handle(incoming: Incoming, outgoing: Outgoing, upgrade?: Upgrade): Exchange | undefined
  /** Refuse a request for a reason that was found before its head was read. */
  refuse(incoming: Incoming, outgoing: Outgoing, error: unknown): void
  /** The answer to bytes that never became a request; logged as one. */
  unreadable(error: GatewayError, peer: string): Answer
}

/**
 * Ingress: read the head, then hand the request to the Hono chain through Hono's own adapter.
 *
 * The head is read before Hono sees the request, because the adapter interprets Host and target.
 */
export function createListener(parts: ListenerParts): Listener {
  // The adapter calls back before it returns. (A WeakMap from the request to its exchange would keep
  // both through every minor collection, since the exchange holds the request.)
  let entering: Exchange | undefined
  const viaHono = getRequestListener(
    (request) => {
      const exchange = entering
      if (exchange === undefined) throw new Error('A request reached the chain without ingress')
      runChain(request, exchange)
      return nothingToSend()
    },
    { overrideGlobalObjects: false, autoCleanupIncoming: false },
  )

  function runChain(request: Request, exchange: Exchange): void {
    const fail = (error: unknown): void => {
      refuse(exchange.incoming, exchange.outgoing, error, exchange.head.target.path)
    }
    try {
      const answered = parts.chain.fetch(request, exchange)
      // What waited for nothing is answered by now.
      if (answered instanceof Promise) answered.catch(fail)
    } catch (error) {
      fail(error)
    }
  }

  function refuse(
    incoming: Incoming,
    outgoing: Outgoing,
    thrown: unknown,
    path = pathOf(incoming),
  ): void {
    const error = asGatewayError(thrown)
    const requestId = randomUUID()
    send(incoming, outgoing, undefined, refusal(error, requestId, path))
    logRefusal(error, requestId, {
      method: incoming.method,
      path: capped(path),
      clientAddress: incoming.socket.remoteAddress,
    })
  }

  function refusal(error: GatewayError, requestId: string, path: string): Answer {
    const { publicOrigin } = parts
    return errorAnswer({
      error,
      profile: 'standard',
      requestId,
      path,
      limit: undefined,
      notices: [],
      publicOrigin,
    })
  }

  function logRefusal(
    error: GatewayError,
    requestId: string,
    facts: Readonly<Record<string, string | undefined>>,
  ): void {
    const reason = reasonOf(error.cause)
    parts.writeAccess({ requestId, ...facts, status: error.status, verdict: error.code, reason })
  }

  return {
    handle(incoming, outgoing, upgrade) {
      try {
        const exchange = openExchange(incoming, outgoing, parts, upgrade)
        entering = exchange
        // The adapter reads no more of the two than they have.
        void viaHono(asEntered(incoming) as IncomingMessage, outgoing as ServerResponse)
        entering = undefined
        return exchange
      } catch (error) {
        refuse(incoming, outgoing, error)
        return undefined
      }
    },
    refuse,
    unreadable(error, peer) {
      const requestId = randomUUID()
      logRefusal(error, requestId, { clientAddress: peer })
      return refusal(error, requestId, '')
    },
  }
}

/**
 * What the adapter sees of a request. It builds a URL of the target and of Host, which nobody reads:
 * ingress has both.
 */
function asEntered({ method, socket }: Incoming): Entered {
  return { method, url: '/', headers: noHeaders, socket }
}

type Entered = Pick<Incoming, 'method' | 'url' | 'socket'> & Pick<IncomingMessage, 'headers'>

const noHeaders = { host: 'localhost' }

/**
 * What the adapter waits for, in vain: each step answers through the exchange's response. Of an answer that
 * says so, the adapter would make header fields first; and of one to HEAD, Hono makes one that does not.
 */
function nothingToSend(): Promise<Response> {
  return new Promise(() => undefined)
}

function openExchange(
  incoming: Incoming,
  outgoing: Outgoing,
  parts: ListenerParts,
  upgrade: Upgrade | undefined,
): Exchange {
  const { method = '', url = '', httpVersion, rawHeaders } = incoming
  const head = readHead({ method, url, httpVersion, rawHeaders }, parts.headLimits)
  const client = parts.findClient(incoming.socket.remoteAddress ?? '', head.forwardedFor)
  const isSecuredByProxy = client.behindProxy && head.forwardedProto === 'https'
  if (isSecuredByProxy && !parts.encrypted) outgoing.security = parts.securityBehindProxy
  const endings: (() => void)[] = []
  const abandonment: Exchange['abandonment'] = { reason: undefined, onAbandon: undefined }
  // A response closes once, so nothing has to be taken off again, as `once` would.
  outgoing.on('close', () => {
    for (const run of endings) run()
    endings.length = 0
    abandonment.onAbandon = undefined
  })
  return {
    incoming,
    outgoing,
    requestId: randomUUID(),
    startedAt: performance.now(),
    head,
    client,
    secure: parts.encrypted || isSecuredByProxy,
    loopback: parts.loopback,
    upgrade,
    abandonment,
    endings,
    notes: blankNotes(),
  }
}

/** The path of a request whose head was refused: as sent, for the caller to recognise. */
function pathOf(incoming: Incoming): string {
  return (incoming.url ?? '').split('?', 1)[0]?.slice(0, 1024) ?? ''
}
