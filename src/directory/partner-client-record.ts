import type { Session } from './database.ts'
import { storedSecrets, type StoredSecret } from './secret-slots.ts'
import { findClient } from './sql/partner-clients.ts'

/** How a client proves at the token endpoint who it is (RFC 7591 §2, OpenID Connect Core §9). */
export type ClientAuthMethod = 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'

/** Public keys, as JWK sets have them (RFC 7517 §5). */
export type PublicKeySet = { readonly keys: readonly Readonly<Record<string, unknown>>[] }

/** A partner's OAuth client as it is cached and verified: never with a secret in it. */
export type PartnerClientRecord = {
  readonly id: string
  readonly partnerId: string
  readonly state: 'enabled' | 'disabled'
  readonly partnerState: 'enabled' | 'disabled'
  /** All that it may be granted. */
  readonly scopes: readonly string[]
  /** At least one. */
  readonly authMethods: readonly ClientAuthMethod[]
  /** What its assertions are signed with; set where `private_key_jwt` is among its methods. */
  readonly jwks: PublicKeySet | undefined
  /** At most two. */
  readonly secrets: readonly StoredSecret[]
}

/** Read a client from the database, with its partner. */
export async function readPartnerClient(
  session: Session,
  clientId: string,
): Promise<PartnerClientRecord | undefined> {
  const rows = await session.query(findClient, clientId)
  const [client] = rows
  if (client === undefined) return undefined
  return {
    id: client.id,
    partnerId: client.partner_id,
    state: client.state,
    partnerState: client.partner_state,
    scopes: client.scopes,
    authMethods: client.token_endpoint_auth_methods,
    jwks: client.jwks,
    secrets: rows.flatMap(storedSecrets),
  }
}
