import { isUtf8 } from 'node:buffer'
import { GatewayError } from '../errors/gateway-error.ts'

/** What an Authorization field carries, before anything is verified. */
export type Presented =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly id: string; readonly secret: string }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'other'; readonly scheme: string }

/** Longest accepted Base64 form of an id and a secret: room for both at 700 bytes. */
const maxBasicLength = 2048

/** Longest accepted bearer token, in characters: what the token formats of the field stay below. */
const maxTokenLength = 8192

/**
 * Parse an Authorization field value into the credential it carries. Nothing is verified here.
 *
 * @param authorization the raw field value, or undefined where the field is absent
 * @throws {GatewayError} CREDENTIAL_MALFORMED
 * @see RFC 9110 §11.4 (credentials), RFC 7617 §2 (Basic), RFC 6750 §2.1 (Bearer)
 */
export function parseAuthorization(authorization: string | undefined): Presented {
  if (authorization === undefined) return { kind: 'none' }
  const [, scheme, credentials] = credentialsPattern.exec(authorization) ?? []
  if (scheme === undefined) throw malformed('not a scheme, one space and credentials')
  switch (scheme.toLowerCase()) {
    case 'basic':
      return parseBasic(credentials)
    case 'bearer':
      return parseBearer(credentials)
    default:
      return { kind: 'other', scheme }
  }
}

/** The API key ID of Basic credentials, whoever sent them; undefined where there is none. */
export function presentedKeyId(authorization: string | undefined): string | undefined {
  try {
    const presented = parseAuthorization(authorization)
    return presented.kind === 'basic' ? presented.id : undefined
  } catch {
    return undefined
  }
}

/** One space, though RFC 9110 allows several: what two parsers may read differently is refused. */
const credentialsPattern = /^([!#$%&'*+.^_`|~\w-]+)(?: ([^ \p{Cc}][^\p{Cc}]*))?$/u

function parseBasic(encoded: string | undefined): Presented {
  if (encoded === undefined || encoded.length > maxBasicLength)
    throw malformed('credentials missing or too long')
  // The decoder takes any spelling. Only the canonical one passes, so that one credential has one
  // spelling: padded, and no bits set that the decoder drops (RFC 4648 §3.5).
  if (!canonicalBase64.test(encoded)) throw malformed('not canonical Base64')
  const octets = Buffer.from(encoded, 'base64')
  const text = octets.toString('latin1')
  if (printableAscii.test(text)) return splitUserPass(text)
  if (!isUtf8(octets)) throw malformed('not UTF-8')
  return splitUserPass(octets.toString('utf8'))
}

const canonicalBase64 =
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?$/

/** What nearly every key and secret is made of: the same in ASCII, Latin-1 and UTF-8. */
const printableAscii = /^[ -~]*$/

/** The id ends at the first colon; the secret may hold more of them. Nothing is URL-decoded. */
function splitUserPass(userPass: string): Presented {
  if (/\p{Cc}/u.test(userPass)) throw malformed('control character')
  const colon = userPass.indexOf(':')
  if (colon < 1 || colon === userPass.length - 1) throw malformed('id or secret missing')
  return { kind: 'basic', id: userPass.slice(0, colon), secret: userPass.slice(colon + 1) }
}

function parseBearer(token: string | undefined): Presented {
  if (token === undefined || token.length > maxTokenLength)
    throw malformed('credentials missing or too long')
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) throw malformed('not a b64token')
  return { kind: 'bearer', token }
}

function malformed(reason: string): GatewayError {
  return new GatewayError('CREDENTIAL_MALFORMED', { cause: new Error(reason) })
}
