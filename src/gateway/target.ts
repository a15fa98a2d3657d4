import { GatewayError } from '../errors/gateway-error.ts'

/** The one form of a request target that is matched, authorised and forwarded. */
export type Target = {
  /** Absolute path; percent-encoding kept, but unreserved characters decoded and hex digits upper case. */
  readonly path: string
  /** The query string with its question mark, untouched, or ''. */
  readonly query: string
  /** Host and port of an absolute-form target; it must agree with the Host field (RFC 9112 §3.2.2). */
  readonly authority: string | undefined
}

/**
 * Bring a request target into its canonical form, or refuse it where two readers could disagree.
 *
 * Encoded slashes stay encoded, since identifiers may hold them. Dot segments, empty segments,
 * backslashes, control characters and invalid UTF-8 are refused in every encoding.
 *
 * @param raw the request target as received, in origin or absolute form
 * @throws {GatewayError} TARGET_INVALID, OPERATION_NOT_FOUND for `*`
 * @see RFC 9112 §3.2, RFC 3986 §6.2.2
 */
export function canonicalTarget(raw: string, method: string): Target {
  if (raw.charCodeAt(0) === slash) return originForm(raw, undefined)
  if (raw === '*' && method === 'OPTIONS') throw new GatewayError('OPERATION_NOT_FOUND')
  const absolute = /^https?:\/\/([^/?#@\\]+)(\/[^]*)?$/i.exec(raw)
  if (absolute?.[1] === undefined) throw invalid('The target is neither a path nor an http URL.')
  return originForm(absolute[2] ?? '/', absolute[1])
}

const slash = 0x2f

function originForm(raw: string, authority: string | undefined): Target {
  const mark = raw.indexOf('?')
  const path = mark === -1 ? raw : raw.slice(0, mark)
  const query = mark === -1 ? '' : raw.slice(mark)
  if (query !== '' && unsafeInQuery.test(query)) {
    throw invalid('The query string contains a character that must be percent-encoded.')
  }
  return { path: plainPath.test(path) ? path : canonicalPath(path), query, authority }
}

/** Nothing to decode and nothing to refuse: what nearly every request sends. */
const plainPath = /^(?:\/[A-Za-z0-9\-_~!$&'()*+,=:@][A-Za-z0-9\-_~!$&'()*+,=:@.]*)+\/?$|^\/$/

/** Clients send brackets and braces unencoded; controls, spaces, fragments and bytes above ASCII never pass. */
const unsafeInQuery = /[^\x21\x22\x24-\x7e]/

function canonicalPath(path: string): string {
  if (/[^A-Za-z0-9\-._~!$&'()*+,;=:@%/]/.test(path)) {
    throw invalid('The path contains a character that must be percent-encoded.')
  }
  if (/%(?![0-9A-Fa-f]{2})/.test(path))
    throw invalid('The path has an incomplete percent-encoding.')
  const canonical = path.replaceAll(/%[0-9A-Fa-f]{2}/g, decodeUnreserved)
  for (const segment of canonical.slice(1).split('/')) refuseAmbiguous(segment)
  if (canonical.includes('//')) throw invalid('The path has an empty segment.')
  return canonical
}

/** RFC 3986 §6.2.2.2: only unreserved characters mean the same decoded as encoded. */
function decodeUnreserved(triplet: string): string {
  const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16))
  return /[A-Za-z0-9\-._~]/.test(character) ? character : triplet.toUpperCase()
}

/**
 * A service behind us may decode once more, or cut a segment at `;`. Whatever it makes of the
 * segment then, it must not find a dot segment, a backslash or a control character.
 */
function refuseAmbiguous(segment: string): void {
  let decoded = segment
  for (let depth = 0; depth < 4; depth += 1) {
    if (decoded.split('/').some((part) => /^\.{1,2}(?:;|$)/.test(part))) {
      throw invalid('The path has a dot segment.')
    }
    if (/[\x00-\x1f\x7f\\]/.test(decoded)) {
      throw invalid('The path contains a backslash or a control character.')
    }
    if (!decoded.includes('%')) return
    const next = decodeOnce(decoded, depth)
    if (next === decoded) return
    decoded = next
  }
}

function decodeOnce(segment: string, depth: number): string {
  try {
    return decodeURIComponent(segment)
  } catch (cause) {
    // Only the first decoding is what the client sent; deeper ones are a service's guess.
    if (depth > 0) return segment
    throw invalid('The percent-encoding of the path is not valid UTF-8.', cause)
  }
}

function invalid(details: string, cause?: unknown): GatewayError {
  return new GatewayError('TARGET_INVALID', { details, cause })
}
