import { decodeFormText } from '../auth/oauth-form.ts'
import { parseAuthorization, type Presented } from '../auth/authorization-field.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import { refuse, type Refusal } from './refusal.ts'

export type IdAndSecret = { readonly id: string; readonly secret: string }

/** An id and a secret, in every way in which the client may have meant them. */
export type BasicCredentials = {
  readonly kind: 'basic'
  /** None where another scheme was used; at most two. */
  readonly spellings: readonly IdAndSecret[]
}

/**
 * Read an Authorization field as OAuth clients send it. The standard has them form-encode id and
 * secret first, and half of them do; so what holds an escape is taken both as it is and decoded.
 *
 * @see RFC 6749 §2.3.1
 */
export function readBasicCredentials(authorization: string): BasicCredentials | Refusal {
  const presented = parse(authorization)
  if (presented === undefined)
    return refuse('invalid_request', 'The Authorization header field is malformed.')
  return { kind: 'basic', spellings: presented.kind === 'basic' ? spellingsOf(presented) : [] }
}

function parse(authorization: string): Presented | undefined {
  try {
    return parseAuthorization(authorization)
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'CREDENTIAL_MALFORMED') return undefined
    throw error
  }
}

function spellingsOf({ id, secret }: IdAndSecret): readonly IdAndSecret[] {
  const raw = { id, secret }
  if (!/[%+]/.test(id + secret)) return [raw]
  const decoded = { id: decodeFormText(id), secret: decodeFormText(secret) }
  if (decoded.id === undefined || decoded.secret === undefined) return [raw]
  return [raw, { id: decoded.id, secret: decoded.secret }]
}
