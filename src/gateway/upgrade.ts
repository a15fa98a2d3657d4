import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { closeGently } from './answer.ts'
import { SecuredResponse } from './secured-response.ts'

/** What a client asks its connection to become (RFC 9110 §7.8). */
export type Upgrade = {
  /** One name, in lower case. */
  readonly protocol: string
  /** The client's connection; nothing is read from it before the upstream has agreed. */
  readonly socket: Socket
  /** How long nothing may pass, in either direction; set by the step that lets it pass. */
  idleTimeoutMs: number
  /** From then on it is no request any more, and no deadline of requests counts. */
  isAgreed: boolean
}

/** A request that asks for an upgrade, with the response that Node makes for all others. */
export type UpgradeRequest = { readonly upgrade: Upgrade; readonly outgoing: SecuredResponse }

/**
 * Make what Node's server lets go of at an upgrade a request like any other, so that its chain decides
 * and answers. The connection carries this one alone: whatever ends it closes it.
 *
 * @param early what the client sent behind the head, before anybody has agreed
 * @returns undefined for what no upstream is asked: another version or method, a body, several protocols
 */
export function openUpgrade(
  incoming: IncomingMessage,
  socket: Duplex,
  early: Buffer,
): UpgradeRequest | undefined {
  const { headers, httpVersion, method } = incoming
  const protocol = headers.upgrade?.toLowerCase() ?? ''
  // Where there is a body, Node hands over another stream in place of the connection.
  if (!(socket instanceof Socket) || hasBody(incoming)) return undefined
  if (httpVersion !== '1.1' || method !== 'GET' || headers.expect !== undefined) return undefined
  if (!oneProtocol.test(protocol)) return undefined
  if (early.length > 0) socket.unshift(early)
  const upgrade = { protocol, socket, idleTimeoutMs: 0, isAgreed: false }
  return { upgrade, outgoing: responseOn(socket, incoming, upgrade) }
}

const oneProtocol = /^[a-z0-9!#$%&'*+.^_`|~-]+(?:\/[a-z0-9!#$%&'*+.^_`|~-]+)?$/

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}

/** Node does the same for requests that it keeps; here it has taken all its listeners off. */
function responseOn(socket: Socket, incoming: IncomingMessage, upgrade: Upgrade): SecuredResponse {
  const outgoing = new SecuredResponse(incoming)
  outgoing.shouldKeepAlive = false
  outgoing.assignSocket(socket)
  // An error that nobody listens to ends the process; the connection's close says all that counts.
  socket.on('error', () => undefined)
  socket.on('drain', () => outgoing.emit('drain'))
  socket.on('timeout', () => {
    // An upstream may take its time, a reader may not; what was agreed has a time of its own.
    if (!upgrade.isAgreed && socket.writableLength > 0) socket.destroy()
  })
  outgoing.once('finish', () => {
    closeGently(socket)
  })
  // A client that ends its side waits for no answer, as elsewhere; behind early bytes the end does not show.
  socket.once('end', () => {
    if (!upgrade.isAgreed) socket.destroy()
  })
  return outgoing
}
