import type { Authentication } from '../auth/authenticate.ts'
import type { MemberPrincipal } from '../auth/principal.ts'
import type { Client } from './client.ts'
import type { Exchange } from './exchange.ts'
import type { HandOff } from './upstream.ts'

/**
 * The header fields that go to the upstream, as names and values in turn.
 *
 * Fields named by `Connection` go first, so that a caller cannot have ours removed; then hop-by-hop
 * fields and every field that only a gateway may set; then ours are added. Whatever else the caller
 * sent passes in order and multiplicity.
 *
 * @see RFC 9110 §7.6.1 (Connection), §7.6.3 (Via), RFC 7239 (Forwarded)
 */
export function requestFields(
  exchange: Exchange,
  authentication: Authentication,
  handOff: HandOff,
  assertion?: string,
): string[] {
  const fields = passingFields(exchange, handOff)
  addForwarding(fields, exchange)
  addIdentity(fields, exchange, authentication)
  if (assertion !== undefined) fields.push('gatehouse-assertion', assertion)
  if (exchange.notes.trace !== undefined) fields.push(...exchange.notes.trace.upstreamFields())
  return fields
}

function passingFields({ incoming, head, notes }: Exchange, handOff: HandOff): string[] {
  const { rawHeaders } = incoming
  const named = connectionNamed(rawHeaders, head.names)
  const fields: string[] = []
  let acceptsTrailers = false
  let position = -1
  for (const name of head.names) {
    position += 2
    const value = rawHeaders[position] ?? ''
    if (name === 'te') acceptsTrailers ||= /(?:^|,)\s*trailers\s*(?:,|$)/i.test(value)
    if (isHopByHop(name) || isReserved(name) || named?.has(name) === true) continue
    // Ours take their place.
    if (notes.trace !== undefined && (name === 'traceparent' || name === 'tracestate')) continue
    if (handOff.rewriteLinks === true && name === 'accept-encoding') continue
    if (name === 'authorization' && handOff.authorization === 'remove') continue
    fields.push(name, value)
  }
  if (acceptsTrailers) fields.push('te', 'trailers')
  return fields
}

/** Field names that `Connection` declares to be meant for this hop alone. */
function connectionNamed(
  rawHeaders: readonly string[],
  names: readonly string[],
): Set<string> | undefined {
  let named: Set<string> | undefined
  names.forEach((name, position) => {
    if (name !== 'connection') return
    for (const option of (rawHeaders[position * 2 + 1] ?? '').split(',')) {
      const lower = option.trim().toLowerCase()
      if (lower === '' || lower === 'close' || lower === 'keep-alive') continue
      named ??= new Set()
      named.add(lower)
    }
  })
  return named
}

/** @see RFC 9110 §7.6.1; `host` is the upstream's own, and `expect` is answered here (§10.1.1) */
function isHopByHop(name: string): boolean {
  switch (name) {
    case 'connection':
    case 'keep-alive':
    case 'proxy-connection':
    case 'proxy-authenticate':
    case 'proxy-authorization':
    case 'te':
    case 'trailer':
    case 'transfer-encoding':
    case 'upgrade':
    case 'http2-settings':
    case 'host':
    case 'expect':
      return true
    default:
      return false
  }
}

/**
 * Whether a field states something that services believe of a gateway: who calls, from where, or
 * which target was meant. Only ours may arrive. Many servers read `_` as `-`, and some whatever is
 * no letter or digit (CGI, RFC 3875 §4.1.18), so each is looked at as if it were one.
 */
function isReserved(name: string): boolean {
  const spelled = plainName.test(name) ? name : name.replaceAll(/[^a-z0-9]/g, '-')
  const first = spelled.charCodeAt(0)
  if (first === letterX) return isReservedX(spelled)
  if (first === letterG) return spelled.startsWith('gatehouse-')
  return reserved.has(spelled) || (spelled !== name && mustNotBeRespelled(spelled))
}

/** `transfer_encoding` or `content_length` is no field of HTTP, but some servers would read one. */
function mustNotBeRespelled(name: string): boolean {
  return name === 'authorization' || name === 'content-length' || isHopByHop(name)
}

const plainName = /^[a-z0-9-]+$/

const letterX = 0x78
const letterG = 0x67

function isReservedX(name: string): boolean {
  return reserved.has(name) || reservedPrefixes.some((prefix) => name.startsWith(prefix))
}

const reservedPrefixes = [
  'x-forwarded-',
  'x-gatehouse-',
  'x-original-',
  'x-auth-request-',
  'x-authenticated-',
  'x-envoy-',
]

const reserved = new Set([
  'forwarded',
  'remote-user',
  'proxy',
  'true-client-ip',
  'cf-connecting-ip',
  'client-ip',
  'x-request-id',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-user',
  'x-user-id',
  'x-org-id',
  'x-organization-id',
  'x-tenant-id',
  'x-principal',
  'x-principal-id',
  'x-remote-user',
  'x-consumer-id',
  'x-consumer-username',
  'x-credential-identifier',
])

function addForwarding(fields: string[], { incoming, head, client, secure }: Exchange): void {
  const proto = secure ? 'https' : 'http'
  const node = client.address.includes(':') ? `"[${client.address}]"` : client.address
  fields.push('via', `${incoming.httpVersion} gatehouse`)
  fields.push('x-forwarded-for', forwardedChain(client, head.forwardedFor))
  fields.push('x-forwarded-proto', proto)
  fields.push('x-forwarded-host', head.hostField)
  fields.push('forwarded', `for=${node};host="${head.hostField}";proto=${proto}`)
}

/** A trusted proxy's chain is continued; anybody else's is a claim, and ends here. */
function forwardedChain(client: Client, forwardedFor: string | undefined): string {
  if (!client.behindProxy || forwardedFor === undefined) return client.address
  return `${forwardedFor}, ${client.peer}`
}

function addIdentity(fields: string[], exchange: Exchange, authentication: Authentication): void {
  fields.push('x-request-id', exchange.requestId, 'gatehouse-request-id', exchange.requestId)
  if (authentication.kind === 'anonymous') return
  const { principal, credential } = authentication
  fields.push('gatehouse-principal-id', principal.id)
  fields.push('gatehouse-principal-kind', principal.kind)
  if (principal.kind === 'partner') fields.push('gatehouse-client-id', principal.clientId)
  else addMember(fields, principal)
  fields.push('gatehouse-credential-kind', credential.kind)
}

/** Subjects are text of an identity provider; a field carries it percent-encoded (RFC 3986 §2.1). */
function addMember(fields: string[], { organizationId, pools }: MemberPrincipal): void {
  fields.push('gatehouse-organization-id', organizationId)
  if (pools === undefined) return
  fields.push('gatehouse-identity-pool-ids', pools.ids.join(','))
  fields.push('gatehouse-subject', encodeURIComponent(pools.subject))
}
