import type { Session } from './database.ts'
import { storedSecrets, type StoredSecret } from './secret-slots.ts'
import { findKey, type KeyRow } from './sql/api-keys.ts'

/** What a key opens: the control plane, everything of its owner, or one resource. */
export type KeyResource =
  | { readonly kind: 'cloud' }
  | { readonly kind: 'global' }
  | {
      readonly kind: 'resource'
      /** For example `kafka-cluster`. */
      readonly resourceKind: string
      readonly id: string
      /** A key with an environment opens only operations that tell the same environment. */
      readonly environment: string | undefined
    }

/** An API key as it is cached and verified: never with a secret in it. */
export type KeyRecord = {
  readonly id: string
  /** At most two. */
  readonly secrets: readonly StoredSecret[]
  readonly resource: KeyResource
  readonly owner: {
    readonly kind: 'user' | 'service-account'
    readonly id: string
    readonly organizationId: string
  }
  readonly state: 'active' | 'revoked'
  /** Milliseconds since the epoch; undefined: never. */
  readonly expiresAtMs: number | undefined
}

/** Read a key from the database. */
export async function readKey(session: Session, keyId: string): Promise<KeyRecord | undefined> {
  const rows = await session.query(findKey, keyId)
  const [key] = rows
  if (key === undefined) return undefined
  return {
    id: key.id,
    secrets: rows.flatMap(storedSecrets),
    resource: resourceOf(key),
    owner: { kind: key.owner_kind, id: key.owner_id, organizationId: key.organization_id },
    state: key.is_revoked ? 'revoked' : 'active',
    expiresAtMs: key.expires_at_ms,
  }
}

/** What the columns of a key say that it opens. */
export function resourceOf(
  row: Pick<KeyRow, 'opens' | 'resource_kind' | 'resource_id' | 'resource_environment'>,
): KeyResource {
  if (row.opens !== 'resource') return { kind: row.opens }
  return {
    kind: 'resource',
    // Never the empty text: a constraint of the table says that a resource key has both.
    resourceKind: row.resource_kind ?? '',
    id: row.resource_id ?? '',
    environment: row.resource_environment,
  }
}
