import type { LimitState } from '../limits/admission.ts'
import type { PublicLink } from './public-links.ts'
import { fieldOf, valuesOf } from './raw-fields.ts'

/** What the gateway says itself on a response it passes on. */
export type OwnFields = {
  readonly requestId: string
  readonly limit: LimitState | undefined
  /** What callers are told of the operation's end, as names and values in turn. */
  readonly notices: readonly string[]
  /** How references to the upstream become ones to us; undefined for services of our own. */
  readonly publicLink?: PublicLink | undefined
  /** Whether links of pages and Link fields are rewritten too. */
  readonly rewriteLinks?: boolean | undefined
  /** Whether the request carried credentials, so that no shared cache may keep the answer. */
  readonly authenticated: boolean
}

/**
 * The header fields of an upstream's response that go to the client, in order and multiplicity,
 * and ours behind them.
 *
 * @param raw the upstream's field names and values in turn, as received; latin1, which keeps every byte
 * @see RFC 9110 §7.6.1, RFC 9111 §3.5
 */
export function responseFields(raw: readonly string[], own: OwnFields): string[] {
  const fields: string[] = []
  const named = connectionNamed(raw)
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? ''
    const lower = name.toLowerCase()
    if (isDropped(lower, own) || named?.includes(lower) === true) continue
    const value = passingValue(lower, raw[index + 1] ?? '', own)
    // Node refuses the first where no trailers can follow, and bytes in the second behind a length.
    if (lower === 'trailer' && !isChunked(raw)) continue
    if (lower === 'content-disposition') fields.unshift(name, value)
    else fields.push(name, value)
  }
  addOwn(fields, own)
  return fields
}

function isChunked(raw: readonly string[]): boolean {
  return valuesOf(raw, 'transfer-encoding').length > 0
}

function passingValue(name: string, value: string, own: OwnFields): string {
  if (name === 'cache-control' || name === 'cdn-cache-control') {
    return own.authenticated ? privateCaching(value) : value
  }
  if (own.publicLink === undefined) return value
  if (name === 'link' && own.rewriteLinks === true) return publicLinks(value, own.publicLink)
  return name === 'location' || name === 'content-location' ? own.publicLink(value) : value
}

/** @see RFC 8288 §3 */
function publicLinks(value: string, publicLink: PublicLink): string {
  return value.replaceAll(/<([^<>]*)>/g, (_, link: string) => `<${publicLink(link)}>`)
}

/** Whether a body is JSON as it stands, so that its links can be rewritten. */
export function isPlainJson(raw: readonly string[]): boolean {
  const coding = fieldOf(raw, 'content-encoding')?.toLowerCase() ?? 'identity'
  const type = fieldOf(raw, 'content-type')?.toLowerCase() ?? ''
  return coding === 'identity' && /^application\/(?:[\w.-]+\+)?json\b/.test(type)
}

/** Fields that tell of the bytes of a body, and are wrong of any other. */
export const aboutBytes: ReadonlySet<string> = new Set(
  'content-length content-md5 digest content-digest repr-digest'.split(' '),
)

/** What an answer without trailers does not announce. */
export const aboutTrailers: ReadonlySet<string> = new Set(['trailer'])

/** @param names in lower case */
export function fieldsWithout(fields: readonly string[], names: ReadonlySet<string>): string[] {
  return fields.filter((_, index) => !names.has((fields[index & ~1] ?? '').toLowerCase()))
}

/** The fields that every answer to an admitted request carries, made here or passed on. */
export function addOwn(fields: string[], { requestId, limit, notices }: OwnFields): void {
  fields.push('X-Request-Id', requestId)
  if (notices.length > 0) fields.push(...notices)
  if (limit === undefined) return
  fields.push('X-RateLimit-Limit', String(limit.limit))
  fields.push('X-RateLimit-Remaining', String(limit.remaining))
  fields.push('X-RateLimit-Reset', String(limit.resetSeconds))
  if (limit.described === undefined) return
  const { item, policies } = limit.described
  fields.push('RateLimit-Policy', policies)
  fields.push('RateLimit', `${item};r=${limit.remaining};t=${limit.resetSeconds}`)
}

/** The length that the upstream announced; undefined where it announced none. */
export function announcedLength(raw: readonly string[]): number | undefined {
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]
    if (name?.length === 14 && name.toLowerCase() === 'content-length') {
      return Number(raw[index + 1])
    }
  }
  return undefined
}

function connectionNamed(raw: readonly string[]): readonly string[] | undefined {
  const value = valuesOf(raw, 'connection').join(',')
  if (value === '' || /^(?:close|keep-alive)$/i.test(value)) return undefined
  return value
    .toLowerCase()
    .split(',')
    .map((option) => option.trim())
}

function isDropped(name: string, own: OwnFields): boolean {
  switch (name) {
    case 'connection':
    case 'keep-alive':
    case 'proxy-connection':
    case 'proxy-authenticate':
    case 'proxy-authorization':
    case 'te':
    case 'transfer-encoding':
    case 'upgrade':
    case 'server':
    case 'x-powered-by':
    case 'x-request-id':
    // The origin is ours, so what is promised for it is ours to say.
    case 'strict-transport-security':
      return true
    case 'deprecation':
    case 'sunset':
      return own.notices.includes(name === 'sunset' ? 'Sunset' : 'Deprecation')
    case 'x-ratelimit-limit':
    case 'x-ratelimit-remaining':
    case 'x-ratelimit-reset':
      return own.limit !== undefined
    case 'ratelimit':
    case 'ratelimit-policy':
      return own.limit?.described !== undefined
    default:
      return name.startsWith('gatehouse-') || name.startsWith('x-envoy-')
  }
}

/**
 * `public`, `s-maxage` and `must-revalidate` would let a shared cache answer one caller with another's
 * data.
 *
 * @see RFC 9111 §3.5, RFC 9213 §2.2 (CDN-Cache-Control)
 */
function privateCaching(value: string): string {
  if (!/public|s-maxage|must-revalidate/i.test(value)) return value
  const kept = value
    .split(',')
    .map((directive) => directive.trim())
    .filter((directive) => !/^(?:public|private|s-maxage=.*)$/i.test(directive))
  return ['private', ...kept].join(', ')
}
