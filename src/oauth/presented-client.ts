import { readBasicCredentials, type IdAndSecret } from './basic-credentials.ts'
import type { FormRequest } from './endpoint.ts'
import type { ClientAuthMethod } from './partner-client.ts'
import { refuse, type Refusal } from './refusal.ts'

/** What a client says of who it is, before anything is verified. */
export type PresentedClient =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'secret'
      readonly method: Exclude<ClientAuthMethod, 'private_key_jwt'>
      readonly spellings: readonly IdAndSecret[]
    }
  | {
      readonly kind: 'assertion'
      /** `client_id`, where that was sent too. */
      readonly clientId: string | undefined
      readonly assertion: string
    }

/** The parameters that a client can be presented by. */
export const clientParameters = [
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
] as const

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/**
 * Find out how a client presents itself: in one way, or it is refused.
 *
 * @see RFC 6749 §2.3 (one method per request), RFC 7521 §4.2
 */
export function readPresentedClient({
  form,
  authorization,
}: FormRequest): PresentedClient | Refusal {
  const [id, secret, assertion, type] = clientParameters.map((name) => form.get(name))
  const ways = [authorization, secret, assertion ?? type].filter((way) => way !== undefined)
  if (ways.length > 1)
    return refuse('invalid_request', 'The client authenticates in more than one way.')
  if (authorization !== undefined) return presentedByField(authorization, id)
  if (secret !== undefined) return presentedBySecret(id, secret)
  if (assertion === undefined && type === undefined) return { kind: 'none' }
  if (assertion === undefined || type !== assertionType)
    return refuse('invalid_request', 'client_assertion and its client_assertion_type do not fit.')
  return { kind: 'assertion', clientId: id, assertion }
}

function presentedByField(
  authorization: string,
  id: string | undefined,
): PresentedClient | Refusal {
  const basic = readBasicCredentials(authorization)
  if (basic.kind === 'refused') return basic
  const { spellings } = basic
  // Another scheme has no spelling, and is refused as whatever else proves nothing.
  if (id !== undefined && spellings.length > 0 && !spellings.some((one) => one.id === id))
    return refuse('invalid_request', 'client_id names another client than the Authorization field.')
  return { kind: 'secret', method: 'client_secret_basic', spellings }
}

function presentedBySecret(id: string | undefined, secret: string): PresentedClient | Refusal {
  if (id === undefined) return refuse('invalid_request', 'client_id is missing.')
  return { kind: 'secret', method: 'client_secret_post', spellings: [{ id, secret }] }
}
