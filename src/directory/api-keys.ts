import { GatewayError } from '../errors/gateway-error.ts'
import { generateKeyId, generateSecret } from './api-key-format.ts'
import { recordChange, type Actor } from './audit.ts'
import type { Session } from './database.ts'
import { resourceOf, type KeyResource } from './key-record.ts'
import type { Page } from './page.ts'
import type { SecretDigests } from './pepper.ts'
import {
  expireSecrets,
  insertKey,
  liveSlots,
  lockKey,
  pageOfKeys,
  putSecret,
  revokeKey,
  setKeyExpiry,
} from './sql/api-keys.ts'
import { holdPrincipal } from './sql/principals.ts'

export type NewApiKey = {
  /** A user or a service account; the key is deleted with it. */
  readonly ownerId: string
  readonly resource: KeyResource
  readonly displayName?: string
  readonly description?: string
  /** Milliseconds since the epoch; absent: never. */
  readonly expiresAtMs?: number
}

export type NewSecret = {
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

/**
 * Make a key with one secret. The secret is in the answer and nowhere else.
 *
 * @throws {GatewayError} RESOURCE_NOT_FOUND, VALIDATION_FAILED, DIRECTORY_UNAVAILABLE
 */
export async function createApiKey(
  session: Session,
  { digestNew }: SecretDigests,
  key: NewApiKey,
  actor: Actor,
): Promise<{ id: string; secret: string }> {
  const { organizationId } = await held(session, key.ownerId)
  const id = generateKeyId()
  await session.query(
    insertKey,
    id,
    key.ownerId,
    key.displayName ?? '',
    key.description ?? '',
    ...columnsOf(key.resource),
    key.expiresAtMs,
  )
  const secret = generateSecret()
  const { digest, pepperId } = digestNew(secret)
  await session.query(putSecret, id, 1, digest, pepperId)
  await recordChange(session, actor, 'api-key.created', organizationId, id)
  return { id, secret }
}

async function held(session: Session, ownerId: string): Promise<{ organizationId: string }> {
  const [owner] = await session.query(holdPrincipal, ownerId)
  if (owner === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  return { organizationId: owner.organization_id }
}

function columnsOf(resource: KeyResource): readonly (string | undefined)[] {
  if (resource.kind !== 'resource') return [resource.kind, undefined, undefined, undefined]
  return [resource.kind, resource.resourceKind, resource.id, resource.environment]
}

/**
 * Give a key a second secret beside the one it has, so that callers can move over without a gap.
 *
 * @throws {GatewayError} RESOURCE_NOT_FOUND; CONFLICT where two secrets work already or the key is
 *   revoked; DIRECTORY_UNAVAILABLE
 */
export async function addApiKeySecret(
  session: Session,
  { digestNew }: SecretDigests,
  { keyId, otherExpiresAtMs }: NewSecret,
  actor: Actor,
): Promise<{ secret: string }> {
  const { organizationId, isRevoked } = await locked(session, keyId)
  if (isRevoked) throw conflict('The API key is revoked.')
  const taken = (await session.query(liveSlots, keyId)).map(({ slot }) => slot)
  const free = [1, 2].find((slot) => !taken.includes(slot))
  if (free === undefined) throw conflict('The API key has two secrets that work already.')
  if (otherExpiresAtMs !== undefined) await session.query(expireSecrets, keyId, otherExpiresAtMs)
  const secret = generateSecret()
  const { digest, pepperId } = digestNew(secret)
  await session.query(putSecret, keyId, free, digest, pepperId)
  await recordChange(session, actor, 'api-key.secret-added', organizationId, keyId)
  return { secret }
}

/**
 * Refuse a key for good. Revoking it again changes nothing.
 *
 * @throws {GatewayError} RESOURCE_NOT_FOUND, DIRECTORY_UNAVAILABLE
 */
export async function revokeApiKey(session: Session, keyId: string, actor: Actor): Promise<void> {
  const { organizationId, isRevoked } = await locked(session, keyId)
  if (isRevoked) return
  await session.query(revokeKey, keyId)
  await recordChange(session, actor, 'api-key.revoked', organizationId, keyId)
}

/**
 * Set when a key ends.
 *
 * @param expiresAtMs milliseconds since the epoch; undefined: never
 * @throws {GatewayError} RESOURCE_NOT_FOUND, DIRECTORY_UNAVAILABLE
 */
export async function setApiKeyExpiry(
  session: Session,
  keyId: string,
  expiresAtMs: number | undefined,
  actor: Actor,
): Promise<void> {
  const { organizationId } = await locked(session, keyId)
  await session.query(setKeyExpiry, keyId, expiresAtMs)
  await recordChange(session, actor, 'api-key.expiry-set', organizationId, keyId)
}

async function locked(
  session: Session,
  keyId: string,
): Promise<{ organizationId: string; isRevoked: boolean }> {
  const [key] = await session.query(lockKey, keyId)
  if (key === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  return { organizationId: key.organization_id, isRevoked: key.is_revoked }
}

function conflict(details: string): GatewayError {
  return new GatewayError('CONFLICT', { details })
}

/** The keys of an organization's principals, in the order of their ids. */
export async function listApiKeys(
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
