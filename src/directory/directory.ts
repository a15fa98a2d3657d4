import { manageAccessGrants, type AccessGrants } from './access-grants.ts'
import { manageApiKeys, type ApiKeys } from './api-keys.ts'
import { readAuditEvents, type Actor, type AuditEvents } from './audit.ts'
import { trackAvailability } from './availability.ts'
import {
  bootstrap,
  makeTenant,
  type Bootstrapped,
  type FirstUser,
  type MadeTenant,
} from './bootstrap.ts'
import { createMakeChange } from './change.ts'
import type { Database } from './database.ts'
import { deriveKeys } from './derived-keys.ts'
import type { DirectoryLog } from './directory-log.ts'
import { manageEnvironments, type Environments } from './environments.ts'
import { exportDirectory, type WriteLines } from './export.ts'
import { folderPepper } from './folder-pepper.ts'
import { manageIdentityPools, type IdentityPools } from './identity-pools.ts'
import { manageIdentityProviders, type IdentityProviders } from './identity-providers.ts'
import { importDirectory } from './import.ts'
import { gatherKeyUses } from './key-uses.ts'
import { manageLimitOverrides, type LimitOverrides } from './limit-overrides.ts'
import { createLookUps, type LookUps } from './look-ups.ts'
import { followNotifications } from './notifications.ts'
import { isEmpty, manageOrganizations, type Organizations } from './organizations.ts'
import { managePartnerClients, type PartnerClients } from './partner-clients.ts'
import { managePartners, type Partners } from './partners.ts'
import { createSecretDigests, type Peppers } from './pepper.ts'
import { managePrincipals, type Principals } from './principals.ts'
import type { CacheLimits } from './record-cache.ts'
import { keepResourceCounts, type ResourceCounts } from './resource-counts.ts'
import { manageResources, type Resources } from './resources.ts'
import { createRevokeToken, type RevokeToken } from './revocations.ts'
import { manageRoleBindings, type RoleBindings } from './role-bindings.ts'
import { createSealing } from './sealing.ts'
import { manageSigningKeys, type KeyRotation } from './signing-keys.ts'
import { noteUses } from './sql/api-keys.ts'
import { answers } from './sql/health.ts'
import { startUpkeep } from './upkeep.ts'
import { createUseAssertion, type UseAssertion } from './used-assertions.ts'

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
 * The store of what credentials are verified against, and of who may do what.
 *
 * Every change is made whole or not at all, together with its audit event, and is told to every
 * process on the same database. Changes reject with a GatewayError: RESOURCE_NOT_FOUND where what
 * they name does not exist, CONFLICT, VALIDATION_FAILED, or DIRECTORY_UNAVAILABLE; after the last
 * of these the change may have been made or not.
 */
export type Directory = LookUps & {
  /**
   * HMAC-SHA-256 of a secret, 32 bytes, under every configured pepper; the work is the same
   * whichever of them is asked for. For another pepper, and for undefined, the digest equals no
   * stored one.
   */
  readonly digestSecret: (secret: string) => (pepperId: string | undefined) => Buffer
  /**
   * Keys for a use of their own, equal in all processes of a directory: the first for what is made
   * now, the others for what was made under earlier peppers.
   */
  readonly deriveKeys: (purpose: string) => readonly Buffer[]
  /** Note that a key is used now. Written every ten seconds; a crash loses at most that. */
  readonly touchLastUsed: (keyId: string) => void
  readonly useAssertion: UseAssertion
  readonly revokeToken: RevokeToken

  readonly organizations: Organizations
  readonly environments: Environments
  readonly principals: Principals
  readonly apiKeys: ApiKeys
  readonly identityProviders: IdentityProviders
  readonly identityPools: IdentityPools
  readonly partners: Partners
  readonly partnerClients: PartnerClients
  readonly accessGrants: AccessGrants
  readonly resources: Resources
  readonly roleBindings: RoleBindings
  readonly limitOverrides: LimitOverrides
  /** No part of any change: nothing is written to the audit, and nobody is told. */
  readonly resourceCounts: ResourceCounts
  readonly keyRotation: KeyRotation

  /** Whether there is no organization yet. */
  readonly isEmpty: () => Promise<boolean>
  /** Make the first organization, user and cloud key; undefined where the directory is not empty. */
  readonly bootstrap: (first: FirstUser, actor: Actor) => Promise<Bootstrapped | undefined>
  /** Make another organization, its administrator and a cloud key. */
  readonly makeTenant: (first: FirstUser, actor: Actor) => Promise<MadeTenant>
  readonly auditEvents: AuditEvents
  readonly listAuditEvents: AuditEvents['list']

  /** Write everything as it is at one moment, line by line. */
  readonly exportTo: (write: WriteLines) => Promise<void>
  /** Put an export into this directory, whole or not at all; rejects with an Error for the operator. */
  readonly importFrom: (lines: AsyncIterable<string>, actor: Actor) => Promise<void>

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
    return await openDirectoryOn(database, options)
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

/** The directory of a database that is open, and that is closed with it. */
export async function openDirectoryOn(
  database: Database,
  options: DirectoryOptions,
): Promise<Directory> {
  const { cache: limits, log, now = () => performance.now() } = options
  const peppers = await peppersOf(options)
  const digests = createSecretDigests(peppers, log)
  const sealing = createSealing(peppers, 'gatehouse signing keys 1')
  const availability = trackAvailability(() => database.query(answers), log)
  const parts = { session: database, sealing, availability, limits, now, log }
  const { forget, distrust, refreshSigningKeys, refreshLimitOverrides, ...lookUps } =
    createLookUps(parts)
  const notifications = await followNotifications(database, { forget, distrust }, log)
  await lookUps.open()
  const uses = gatherKeyUses((keyIds) => database.query(noteUses, keyIds), log)
  const upkeep = startUpkeep(database, log)
  const make = createMakeChange(database, forget)
  const auditEvents = readAuditEvents(database)

  return {
    ...lookUps,
    digestSecret: digests.digestSecret,
    deriveKeys: (purpose) => deriveKeys(peppers, purpose),
    touchLastUsed: uses.touch,
    useAssertion: createUseAssertion(database),
    revokeToken: createRevokeToken(make),

    organizations: manageOrganizations(database, make),
    environments: manageEnvironments(database, make),
    principals: managePrincipals(database, make),
    apiKeys: manageApiKeys(database, make, digests),
    identityProviders: manageIdentityProviders(database, make),
    identityPools: manageIdentityPools(database, make),
    partners: managePartners(database, make),
    partnerClients: managePartnerClients(database, make, digests),
    accessGrants: manageAccessGrants(database, make),
    resources: manageResources(database, make),
    roleBindings: manageRoleBindings(database, make),
    limitOverrides: manageLimitOverrides(database, make, refreshLimitOverrides),
    resourceCounts: keepResourceCounts(database),
    keyRotation: manageSigningKeys(database, make, sealing, refreshSigningKeys),

    isEmpty: () => isEmpty(database),
    bootstrap: (first, actor) => make(actor, (change) => bootstrap(change, digests, first)),
    makeTenant: (first, actor) => make(actor, (change) => makeTenant(change, digests, first)),
    auditEvents,
    listAuditEvents: auditEvents.list,

    exportTo: (write) => exportDirectory(database, peppers, write),
    importFrom: (lines, actor) => make(actor, (change) => importDirectory(change, peppers, lines)),

    health: () => ({
      state: availability.isDown() ? 'down' : 'up',
      notifications: notifications.areLost() ? 'lost' : 'arriving',
    }),
    close: async () => {
      await Promise.all([uses.close(), upkeep.close(), lookUps.close()])
      availability.close()
      await database.close()
    },
  }
}
