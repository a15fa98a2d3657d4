import { isUtf8 } from 'node:buffer'
import { refused, type TokenRefusal } from './refusal.ts'
import { readStrictJson, type JsonObject } from './strict-json.ts'

/** The members of a header that are acted on. */
export type TokenHeader = {
  readonly alg: string
  readonly kid: string
  /** In lower case and without `application/`; undefined where the token names no type. */
  readonly typ: string | undefined
}

/** A token as it says of itself. Nothing of it is proved: good for choosing whom to ask, no more. */
export type UnverifiedToken = {
  readonly kind: 'unverified'
  readonly text: string
  readonly header: TokenHeader
  readonly issuer: string
  readonly claims: JsonObject
}

/** In characters: what a header field with it still leaves room for. */
export const maxTokenLength = 8192

const headerLimits = { maxDepth: 2, maxNodes: 32 }
const claimsLimits = { maxDepth: 16, maxNodes: 2048 }

/**
 * Read a token in the one spelling that a signature stands for: three canonical base64url parts,
 * strict JSON in the first two, no header member but those that are known. `crit`, `jku`, `jwk`,
 * `x5u`, `x5c`, `b64`, `zip`, `enc` and `cty` are refused with all others.
 *
 * One token has one spelling here, or caches and revocations by digest would be split.
 *
 * @param kidIfMissing taken where the header has no `kid`; absent: such a token is refused
 * @see RFC 7515 §3.1 (compact serialization), RFC 7519 §5, RFC 8725 §3
 */
export function readCompactJws(
  text: string,
  { kidIfMissing }: { readonly kidIfMissing?: string } = {},
): UnverifiedToken | TokenRefusal {
  if (text.length > maxTokenLength) return refused('too-long')
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return refused('not-a-compact-jws')
  const [protectedPart = '', payloadPart = '', signaturePart = ''] = text.split('.')
  const headerText = decode(protectedPart)
  const claimsText = decode(payloadPart)
  if (headerText === undefined || claimsText === undefined || decode(signaturePart) === undefined)
    return refused('not-canonical-base64url')
  const header = readHeader(headerText, kidIfMissing)
  if ('kind' in header) return header
  const claims = isUtf8(claimsText)
    ? readStrictJson(claimsText.toString('utf8'), claimsLimits)
    : undefined
  if (claims === undefined) return refused('claims-not-strict-json')
  const issuer = claims['iss']
  if (typeof issuer !== 'string' || issuer === '' || issuer.length > 2048)
    return refused('issuer-missing')
  return { kind: 'unverified', text, header, issuer, claims }
}

/** The decoder takes any spelling; only the canonical one gives back the same text. */
function decode(part: string): Buffer | undefined {
  const octets = Buffer.from(part, 'base64url')
  return octets.toString('base64url') === part ? octets : undefined
}

function readHeader(octets: Buffer, kidIfMissing: string | undefined): TokenHeader | TokenRefusal {
  const header = isUtf8(octets) ? readStrictJson(octets.toString('utf8'), headerLimits) : undefined
  if (header === undefined) return refused('header-not-strict-json')
  if (!Object.keys(header).every((name) => knownMembers.has(name)))
    return refused('header-member-refused')
  const { alg, typ } = header
  const kid = Object.hasOwn(header, 'kid') ? header['kid'] : kidIfMissing
  if (!isBoundedString(alg, 32) || !isBoundedString(kid, 256)) return refused('header-malformed')
  if (typ !== undefined && !isBoundedString(typ, 128)) return refused('header-malformed')
  return { alg, kid, typ: typ?.toLowerCase().replace(/^application\//, '') }
}

/** Thumbprints name a certificate and nothing is done with them; Entra and ADFS send them always. */
const knownMembers: ReadonlySet<string> = new Set(['alg', 'kid', 'typ', 'x5t', 'x5t#S256'])

function isBoundedString(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxLength
}
