import { isKeyId } from './api-key-format.ts'
import {
  addApiKeySecret,
  createApiKey,
  listApiKeys,
  revokeApiKey,
  setApiKeyExpiry,
  type ListedApiKey,
  type NewApiKey,
  type NewSecret,
} from './api-keys.ts'
import { listAuditEvents, type Actor, type AuditEvent } from './audit.ts'
import { trackAvailability } from './availability.ts'
import { bootstrap, type Bootstrapped, type FirstUser } from './bootstrap.ts'
import type { Database } from './database.ts'
import type { DirectoryLog } from './directory-log.ts'
import { folderPepper } from './folder-pepper.ts'
import { createKeyCache, type CacheLimits } from './key-cache.ts'
import { readKey, type KeyRecord } from './key-record.ts'
import { gatherKeyUses } from './key-uses.ts'
import { followNotifications } from './notifications.ts'
import type { Page } from './page.ts'
import { createSecretDigests, type Peppers } from './pepper.ts'
import {
  createOrganization,
  createServiceAccount,
  createUser,
  deletePrincipal,
  isEmpty,
  listOrganizations,
  listPrincipals,
  type ListedPrincipal,
  type NewOrganization,
  type NewServiceAccount,
  type NewUser,
  type Organization,
} from './principals.ts'
import { noteUses } from './sql/api-keys.ts'
import { answers } from './sql/health.ts'

/** Where the directory is kept: on a PostgreSQL server, or in this process with files in a folder. */
type Storage =
  | { readonly url: string; readonly peppers: Peppers }
  | {
      readonly url?: undefined
      readonly folder: string
      /** Undefined: one is made, and kept in the folder. */
      readonly peppers?: Peppers | undefined
    }

export type DirectoryOptions = Storage & {
  /** Upper bound of connections to a server; one for notifications comes on top. */
  readonly connections: number
  /** Deadline of a look-up, and of each statement of a change. */
  readonly queryTimeoutMs: number
  readonly cache: CacheLimits
  /** Milliseconds on a clock that only goes forward; decides the age of what is cached. */
  readonly now?: () => number
  readonly log: DirectoryLog
}

/** Whether look-ups are answered from the database, and whether changes are told at once. */
export type DirectoryHealth = {
  readonly state: 'up' | 'down'
  readonly notifications: 'arriving' | 'lost'
}

/**
 * The store of organizations, principals and API keys.
 *
 * Every change is made whole or not at all, together with its audit event, and is told to every
 * process on the same database. Changes reject with a GatewayError: RESOURCE_NOT_FOUND where what
 * they name does not exist, CONFLICT, VALIDATION_FAILED, or DIRECTORY_UNAVAILABLE; after the last
 * of these the change may have been made or not.
 */
export type Directory = {
  /**
   * The record of a key id; without a promise where it is cached.
   *
   * @throws {GatewayError} DIRECTORY_UNAVAILABLE, thrown or rejected
   */
  readonly findApiKey: (keyId: string) => KeyRecord | undefined | Promise<KeyRecord | undefined>
  /**
   * HMAC-SHA-256 of a secret, 32 bytes, under every configured pepper; the work is the same
   * whichever of them is asked for. For another pepper, and for undefined, the digest equals no
   * stored one.
   */
  readonly digestSecret: (secret: string) => (pepperId: string | undefined) => Buffer
  /** Note that a key is used now. Written every ten seconds; a crash loses at most that. */
  readonly touchLastUsed: (keyId: string) => void

  readonly createOrganization: (
    organization: NewOrganization,
    actor: Actor,
  ) => Promise<{ id: string }>
  readonly createUser: (user: NewUser, actor: Actor) => Promise<{ id: string }>
  readonly createServiceAccount: (
    account: NewServiceAccount,
    actor: Actor,
  ) => Promise<{ id: string }>
  /** Delete a user or a service account and all its keys. */
  readonly deletePrincipal: (principalId: string, actor: Actor) => Promise<void>

  /** Make a key with one secret, which is in the answer and nowhere else. */
  readonly createApiKey: (key: NewApiKey, actor: Actor) => Promise<{ id: string; secret: string }>
  /** Add a second secret to a key, beside the one it has. CONFLICT where two work already. */
  readonly addApiKeySecret: (secret: NewSecret, actor: Actor) => Promise<{ secret: string }>
  /** Refuse a key for good. Revoking it again changes nothing. */
  readonly revokeApiKey: (keyId: string, actor: Actor) => Promise<void>
  /** Set when a key ends, in milliseconds since the epoch; undefined: never. */
  readonly setApiKeyExpiry: (
    keyId: string,
    expiresAtMs: number | undefined,
    actor: Actor,
  ) => Promise<void>

  /** Whether there is no organization yet. */
  readonly isEmpty: () => Promise<boolean>
  /** Make the first organization, user and cloud key; undefined where the directory is not empty. */
  readonly bootstrap: (first: FirstUser, actor: Actor) => Promise<Bootstrapped | undefined>
  readonly listOrganizations: (page: Page) => Promise<readonly Organization[]>
  readonly listPrincipals: (
    organizationId: string,
    page: Page,
  ) => Promise<readonly ListedPrincipal[]>
  readonly listApiKeys: (organizationId: string, page: Page) => Promise<readonly ListedApiKey[]>
  /** Newest first. */
  readonly listAuditEvents: (organizationId: string, page: Page) => Promise<readonly AuditEvent[]>

  readonly health: () => DirectoryHealth
  /** Write what is pending and give back every connection. To be called once. */
  readonly close: () => Promise<void>
}

/**
 * Open the directory and bring its schema up to date.
 *
 * @throws {Error} where the server cannot be reached, another process uses the folder, or the
 *   schema is newer than this program; the message is for the operator
 */
export async function openDirectory(options: DirectoryOptions): Promise<Directory> {
  const database = await openDatabase(options)
  try {
    return await openOn(database, options)
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Each of the two brings a driver along, so only the one that is needed is loaded. */
async function openDatabase(options: DirectoryOptions): Promise<Database> {
  if (options.url !== undefined) return (await import('./postgres.ts')).openPostgres(options)
  return (await import('./embedded.ts')).openEmbedded(options)
}

async function peppersOf(storage: Storage): Promise<Peppers> {
  if (storage.url !== undefined) return storage.peppers
  return storage.peppers ?? folderPepper(storage.folder)
}

async function openOn(database: Database, options: DirectoryOptions): Promise<Directory> {
  const { cache: limits, log, now = () => performance.now() } = options
  const digests = createSecretDigests(await peppersOf(options), log)
  const availability = trackAvailability(() => database.query(answers), log)
  const lookUp = (keyId: string): Promise<KeyRecord | undefined> => readKey(database, keyId)
  const cache = createKeyCache({ lookUp, availability, limits, now })
  const notifications = await followNotifications(database, cache, log)
  const uses = gatherKeyUses((keyIds) => database.query(noteUses, keyIds), log)

  /** Without waiting for the notification, so that whoever made a change sees it. */
  const forgetting = async <Result>(keyId: string, change: Promise<Result>): Promise<Result> => {
    try {
      return await change
    } finally {
      cache.forget(keyId)
    }
  }
  const { transaction } = database

  return {
    findApiKey: (keyId) => (isKeyId(keyId) ? cache.find(keyId) : undefined),
    digestSecret: digests.digestSecret,
    touchLastUsed: uses.touch,

    createOrganization: (organization, actor) =>
      transaction((session) => createOrganization(session, organization, actor)),
    createUser: (user, actor) => transaction((session) => createUser(session, user, actor)),
    createServiceAccount: (account, actor) =>
      transaction((session) => createServiceAccount(session, account, actor)),
    deletePrincipal: async (principalId, actor) => {
      const keyIds = await transaction((session) => deletePrincipal(session, principalId, actor))
      keyIds.forEach(cache.forget)
    },

    createApiKey: (key, actor) =>
      transaction((session) => createApiKey(session, digests, key, actor)),
    addApiKeySecret: (secret, actor) =>
      forgetting(
        secret.keyId,
        transaction((session) => addApiKeySecret(session, digests, secret, actor)),
      ),
    revokeApiKey: (keyId, actor) =>
      forgetting(
        keyId,
        transaction((session) => revokeApiKey(session, keyId, actor)),
      ),
    setApiKeyExpiry: (keyId, expiresAtMs, actor) =>
      forgetting(
        keyId,
        transaction((session) => setApiKeyExpiry(session, keyId, expiresAtMs, actor)),
      ),

    isEmpty: () => isEmpty(database),
    bootstrap: (first, actor) =>
      transaction((session) => bootstrap(session, digests, first, actor)),
    listOrganizations: (page) => listOrganizations(database, page),
    listPrincipals: (organizationId, page) => listPrincipals(database, organizationId, page),
    listApiKeys: (organizationId, page) => listApiKeys(database, organizationId, page),
    listAuditEvents: (organizationId, page) => listAuditEvents(database, organizationId, page),

    health: () => ({
      state: availability.isDown() ? 'down' : 'up',
      notifications: notifications.areLost() ? 'lost' : 'arriving',
    }),
    close: async () => {
      await uses.close()
      availability.close()
      await database.close()
    },
  }
}
