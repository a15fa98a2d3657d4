import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import { generateKeyId, generateSecret } from './credential-format.ts'
import type { Session } from './database.ts'
import { resourceOf, type KeyResource } from './key-record.ts'
import type { Page } from './page.ts'
import type { SecretDigests } from './pepper.ts'
import { addSecondSecret, putFirstSecret } from './secret-slots.ts'
import { insertKey, lockKey, pageOfKeys, revokeKey, setKeyExpiry } from './sql/api-keys.ts'
import { holdPrincipal } from './sql/principals.ts'
import { holdResource, lockResourceNameShared } from './sql/resources.ts'
import { apiKeySecrets } from './sql/secret-slots.ts'

export type NewApiKey = {
  /** A user or a service account; the key is deleted with it. */
  readonly ownerId: string
  /** Where the gateway knows the resource, it is one of the owner's organization. */
  readonly resource: KeyResource
  readonly displayName?: string
  readonly description?: string
  /** Milliseconds since the epoch; absent: never. */
  readonly expiresAtMs?: number
}

export type NewKeySecret = {
  readonly keyId: string
  /** When the other secret of the key ends, in ms since the epoch; absent: as before. */
  readonly otherExpiresAtMs?: number
}

/** An API key as lists show it. Instants are milliseconds since the epoch. */
export type ListedApiKey = {
  readonly id: string
  readonly ownerId: string
  readonly displayName: string
  readonly description: string
  readonly resource: KeyResource
  readonly state: 'active' | 'revoked'
  readonly createdAtMs: number
  readonly expiresAtMs: number | undefined
  /** Up to some seconds before the truth; undefined: not yet used. */
  readonly lastUsedAtMs: number | undefined
}

/** The keys of users and service accounts. */
export type ApiKeys = {
  /** Make a key with one secret, which is in the answer and nowhere else. */
  readonly create: (key: NewApiKey, actor: Actor) => Promise<{ id: string; secret: string }>
  /**
   * Give a key a second secret beside the one it has, so that callers can move over without a gap.
   * CONFLICT where two secrets work already, or the key is revoked.
   */
  readonly addSecret: (secret: NewKeySecret, actor: Actor) => Promise<{ secret: string }>
  /** Refuse a key for good. Revoking it again changes nothing. */
  readonly revoke: (keyId: string, actor: Actor) => Promise<void>
  /** Set when a key ends, in milliseconds since the epoch; undefined: never. */
  readonly setExpiry: (
    keyId: string,
    expiresAtMs: number | undefined,
    actor: Actor,
  ) => Promise<void>
  /** The keys of an organization's principals, in the order of their ids. */
  readonly list: (organizationId: string, page: Page) => Promise<readonly ListedApiKey[]>
}

/** Manage API keys. */
export function manageApiKeys(session: Session, make: MakeChange, digests: SecretDigests): ApiKeys {
  return {
    create: (key, actor) => make(actor, (change) => createApiKey(change, digests, key)),
    addSecret: (secret, actor) => make(actor, (change) => addSecret(change, digests, secret)),
    revoke: (keyId, actor) => make(actor, (change) => revoke(change, keyId)),
    setExpiry: (keyId, expiresAtMs, actor) =>
      make(actor, (change) => setExpiry(change, keyId, expiresAtMs)),
    list: (organizationId, page) => list(session, organizationId, page),
  }
}

/**
 * Make a key with one secret, within a change.
 *
 * @throws {GatewayError} RESOURCE_NOT_FOUND, VALIDATION_FAILED, DIRECTORY_UNAVAILABLE
 */
export async function createApiKey(
  change: Change,
  digests: SecretDigests,
  key: NewApiKey,
): Promise<{ id: string; secret: string }> {
  const [owner] = await change.query(holdPrincipal, key.ownerId)
  if (owner === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  const resource = columnsOf(key.resource)
  await refuseForeignResource(change, owner.organization_id, resource)
  const id = generateKeyId()
  await change.query(
    insertKey,
    id,
    key.ownerId,
    key.displayName ?? '',
    key.description ?? '',
    ...resource,
    key.expiresAtMs,
  )
  const secret = generateSecret('api-key')
  await putFirstSecret(change, apiKeySecrets, digests, id, secret)
  await change.record('api-key.created', owner.organization_id, id)
  return { id, secret }
}

type ResourceColumns = readonly [
  opens: string,
  kind: string | undefined,
  id: string | undefined,
  environment: string | undefined,
]

function columnsOf(resource: KeyResource): ResourceColumns {
  if (resource.kind !== 'resource') return [resource.kind, undefined, undefined, undefined]
  return [resource.kind, resource.resourceKind, resource.id, resource.environment]
}

/**
 * A key would open another organization's resource, since it is its resource alone that an
 * operation's is compared with. The resource is held, so that it takes the key along when it is
 * deleted at the same time.
 */
async function refuseForeignResource(
  change: Change,
  organizationId: string,
  [, ...columns]: ResourceColumns,
): Promise<void> {
  const [kind, id] = columns
  if (kind === undefined || id === undefined) return
  await change.query(lockResourceNameShared, kind, id)
  const [known] = await change.query(holdResource, ...columns)
  if (known !== undefined && known.organization_id !== organizationId)
    throw new GatewayError('RESOURCE_NOT_FOUND')
}

async function addSecret(
  change: Change,
  digests: SecretDigests,
  { keyId, otherExpiresAtMs }: NewKeySecret,
): Promise<{ secret: string }> {
  const { organizationId, isRevoked } = await locked(change, keyId)
  if (isRevoked) throw new GatewayError('CONFLICT', { details: 'The API key is revoked.' })
  const secret = generateSecret('api-key')
  await addSecondSecret(change, apiKeySecrets, digests, keyId, secret, otherExpiresAtMs)
  await change.record('api-key.secret-added', organizationId, keyId)
  return { secret }
}

async function revoke(change: Change, keyId: string): Promise<void> {
  const { organizationId, isRevoked } = await locked(change, keyId)
  if (isRevoked) return
  await change.query(revokeKey, keyId)
  await change.record('api-key.revoked', organizationId, keyId)
}

async function setExpiry(
  change: Change,
  keyId: string,
  expiresAtMs: number | undefined,
): Promise<void> {
  const { organizationId } = await locked(change, keyId)
  await change.query(setKeyExpiry, keyId, expiresAtMs)
  await change.record('api-key.expiry-set', organizationId, keyId)
}

async function locked(
  change: Change,
  keyId: string,
): Promise<{ organizationId: string; isRevoked: boolean }> {
  const [key] = await change.query(lockKey, keyId)
  if (key === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  return { organizationId: key.organization_id, isRevoked: key.is_revoked }
}

async function list(
  session: Session,
  organizationId: string,
  { after, limit }: Page,
): Promise<readonly ListedApiKey[]> {
  const rows = await session.query(pageOfKeys, organizationId, after, limit)
  return rows.map((row) => ({
    id: row.id,
    ownerId: row.owner_id,
    displayName: row.display_name,
    description: row.description,
    resource: resourceOf(row),
    state: row.is_revoked ? 'revoked' : 'active',
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
  }))
}
