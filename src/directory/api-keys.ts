import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import { generateKeyId, generateSecret } from './credential-format.ts'
import type { Session } from './database.ts'
import { decided, type Check, type Edit } from './edit.ts'
import { resourceOf, type KeyResource } from './key-record.ts'
import { oneRow } from './one-row.ts'
import { cursorOf, type Page } from './page.ts'
import type { SecretDigests } from './pepper.ts'
import { addSecondSecret, putFirstSecret, retireOlderSecret } from './secret-slots.ts'
import {
  countKeys,
  deleteKeyById,
  findListedKey,
  insertKey,
  lockKey,
  pageOfKeys,
  revokeKey,
  setKeyExpiry,
  updateKey,
  type ListedKeyRow,
} from './sql/api-keys.ts'
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
  readonly otherExpiresAtMs?: number | undefined
}

/** What is absent stays as it is. */
export type ApiKeyChanges = {
  readonly displayName?: string
  readonly description?: string
  /** Milliseconds since the epoch; undefined: never. */
  readonly expiresAtMs?: number | undefined
}

/** An API key as lists show it. Instants are milliseconds since the epoch. */
export type ListedApiKey = {
  readonly id: string
  readonly organizationId: string
  readonly ownerId: string
  readonly ownerKind: 'user' | 'service-account'
  readonly displayName: string
  readonly description: string
  readonly resource: KeyResource
  readonly state: 'active' | 'revoked'
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Grows with every change of the key itself; its use is none. */
  readonly version: number
  readonly expiresAtMs: number | undefined
  /** Up to some seconds before the truth; undefined: not yet used. */
  readonly lastUsedAtMs: number | undefined
}

/** Which keys are listed; what is absent does not matter. */
export type ApiKeyFilter = {
  readonly ownerId?: string | undefined
  /** `cloud`, `global`, or the id of a resource. */
  readonly resource?: string | undefined
}

/** A new key, with the only copy of its secret. */
export type MadeApiKey = {
  readonly id: string
  readonly secret: string
  readonly key: ListedApiKey
}

/** The keys of users and service accounts. */
export type ApiKeys = {
  /** Make a key with one secret, which is in the answer and nowhere else. */
  readonly create: (key: NewApiKey, actor: Actor) => Promise<MadeApiKey>
  readonly update: (
    keyId: string,
    edit: Edit<ListedApiKey, ApiKeyChanges>,
    actor: Actor,
  ) => Promise<ListedApiKey>
  /** Delete a key; unlike a revoked one it is not listed any more. */
  readonly delete: (keyId: string, actor: Actor, check?: Check<ListedApiKey>) => Promise<void>
  /**
   * Give a key a second secret beside the one it has, so that callers can move over without a gap.
   * CONFLICT where two secrets work already, or the key is revoked.
   */
  readonly addSecret: (
    secret: NewKeySecret,
    actor: Actor,
    check?: Check<ListedApiKey>,
  ) => Promise<{ readonly secret: string; readonly key: ListedApiKey }>
  /** Have the newer one of two secrets work alone. CONFLICT where fewer than two work. */
  readonly retireOlderSecret: (
    keyId: string,
    actor: Actor,
    check?: Check<ListedApiKey>,
  ) => Promise<ListedApiKey>
  /** Refuse a key for good. Revoking it again changes nothing. */
  readonly revoke: (keyId: string, actor: Actor) => Promise<void>
  /** Set when a key ends, in milliseconds since the epoch; undefined: never. */
  readonly setExpiry: (
    keyId: string,
    expiresAtMs: number | undefined,
    actor: Actor,
  ) => Promise<void>
  readonly find: (keyId: string) => Promise<ListedApiKey | undefined>
  /** The keys of an organization's principals, in the order of their ids. */
  readonly list: (
    organizationId: string,
    page: Page,
    filter?: ApiKeyFilter,
  ) => Promise<readonly ListedApiKey[]>
  readonly count: (organizationId: string, filter?: ApiKeyFilter) => Promise<number>
}

/** Manage API keys. */
export function manageApiKeys(session: Session, make: MakeChange, digests: SecretDigests): ApiKeys {
  return {
    create: (key, actor) => make(actor, (change) => createApiKey(change, digests, key)),
    update: (keyId, edit, actor) => make(actor, (change) => update(change, keyId, edit)),
    delete: (keyId, actor, check) => make(actor, (change) => remove(change, keyId, check)),
    addSecret: (secret, actor, check) =>
      make(actor, (change) => addSecret(change, digests, secret, check)),
    retireOlderSecret: (keyId, actor, check) =>
      make(actor, (change) => retireSecret(change, keyId, check)),
    revoke: (keyId, actor) => make(actor, (change) => revoke(change, keyId)),
    setExpiry: (keyId, expiresAtMs, actor) =>
      make(actor, (change) => setExpiry(change, keyId, expiresAtMs)),
    find: (keyId) => find(session, keyId),
    list: async (organizationId, page, { ownerId, resource } = {}) => {
      const by = [organizationId, ownerId, resource]
      return (await session.query(pageOfKeys, ...by, ...cursorOf(page))).map(shown)
    },
    count: async (organizationId, { ownerId, resource } = {}) =>
      oneRow(await session.query(countKeys, organizationId, ownerId, resource)).total,
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
): Promise<MadeApiKey> {
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
  const after = await existing(change, id)
  await change.record('api-key.created', owner.organization_id, { id, after })
  return { id, secret, key: after }
}

async function update(
  change: Change,
  id: string,
  edit: Edit<ListedApiKey, ApiKeyChanges>,
): Promise<ListedApiKey> {
  const before = await locked(change, id)
  const { displayName, description, expiresAtMs } = { ...before, ...decided(edit, before) }
  await change.query(updateKey, id, displayName, description, expiresAtMs)
  const after = await existing(change, id)
  await change.record('api-key.updated', after.organizationId, { id, before, after })
  return after
}

async function remove(change: Change, id: string, check?: Check<ListedApiKey>): Promise<void> {
  const before = await locked(change, id)
  check?.(before)
  await change.query(deleteKeyById, id)
  await change.record('api-key.deleted', before.organizationId, { id, before })
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
  check?: Check<ListedApiKey>,
): Promise<{ readonly secret: string; readonly key: ListedApiKey }> {
  const key = await locked(change, keyId)
  check?.(key)
  if (key.state === 'revoked')
    throw new GatewayError('CONFLICT', { details: 'The API key is revoked.' })
  const secret = generateSecret('api-key')
  await addSecondSecret(change, apiKeySecrets, digests, keyId, secret, otherExpiresAtMs)
  await change.record('api-key.secret-added', key.organizationId, keyId)
  return { secret, key }
}

async function retireSecret(
  change: Change,
  id: string,
  check?: Check<ListedApiKey>,
): Promise<ListedApiKey> {
  const key = await locked(change, id)
  check?.(key)
  await retireOlderSecret(change, apiKeySecrets, id)
  await change.record('api-key.secret-retired', key.organizationId, id)
  return key
}

async function revoke(change: Change, id: string): Promise<void> {
  const before = await locked(change, id)
  if (before.state === 'revoked') return
  await change.query(revokeKey, id)
  const after = await existing(change, id)
  await change.record('api-key.revoked', before.organizationId, { id, before, after })
}

async function setExpiry(
  change: Change,
  id: string,
  expiresAtMs: number | undefined,
): Promise<void> {
  const before = await locked(change, id)
  await change.query(setKeyExpiry, id, expiresAtMs)
  const after = await existing(change, id)
  await change.record('api-key.expiry-set', before.organizationId, { id, before, after })
}

async function locked(change: Change, id: string): Promise<ListedApiKey> {
  await change.query(lockKey, id)
  return existing(change, id)
}

async function existing(session: Session, id: string): Promise<ListedApiKey> {
  const key = await find(session, id)
  if (key === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  return key
}

async function find(session: Session, id: string): Promise<ListedApiKey | undefined> {
  const [row] = await session.query(findListedKey, id)
  return row && shown(row)
}

function shown(row: ListedKeyRow): ListedApiKey {
  return {
    id: row.id,
    organizationId: row.organization_id,
    ownerId: row.owner_id,
    // The prefix is a constraint of the table.
    ownerKind: row.owner_id.startsWith('u-') ? 'user' : 'service-account',
    displayName: row.display_name,
    description: row.description,
    resource: resourceOf(row),
    state: row.is_revoked ? 'revoked' : 'active',
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    version: row.version,
    expiresAtMs: row.expires_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
  }
}
