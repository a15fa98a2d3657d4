import { readGrants } from './access-grants.ts'
import type { Availability } from './availability.ts'
import { isClientId, isIssuer, isKeyId, isPoolId } from './credential-format.ts'
import type { Session } from './database.ts'
import type { DirectoryLog } from './directory-log.ts'
import { readKey, type KeyRecord } from './key-record.ts'
import { createOverrideReader, noOverrides, type FindLimitOverride } from './limit-overrides.ts'
import { readPartnerClient, type PartnerClientRecord } from './partner-client-record.ts'
import {
  readPool,
  readProviders,
  type PoolWithProvider,
  type ProviderWithPools,
} from './provider-record.ts'
import {
  createRecordCache,
  type CacheLimits,
  type Found,
  type RecordCache,
  type LookUpCounts,
} from './record-cache.ts'
import { createRevocations } from './revocations.ts'
import { readRoleBindings, type RoleBindingRecord } from './role-bindings.ts'
import type { Sealing } from './sealing.ts'
import { createSigningKeyReader, type SigningKeys } from './signing-key-record.ts'
import { createSnapshot } from './snapshot.ts'

/**
 * What requests ask of the directory. The answer is a promise only where it is not at hand, and the
 * same object for as long as nothing changes.
 *
 * Each throws or rejects with a GatewayError DIRECTORY_UNAVAILABLE where nothing is known that is
 * recent enough and the database does not answer.
 */
export type LookUps = {
  readonly findApiKey: (keyId: string) => Found<KeyRecord | undefined>
  /** Takes as long as `findApiKey` does for an id that nobody has. Never throws nor rejects. */
  readonly findNoApiKey: (keyId: string) => undefined | Promise<undefined>
  /** All providers with an issuer, whichever organization's and in whichever state. */
  readonly findProviders: (issuer: string) => Found<readonly ProviderWithPools[]>
  readonly findPool: (poolId: string) => Found<PoolWithProvider | undefined>
  readonly findPartnerClient: (clientId: string) => Found<PartnerClientRecord | undefined>
  /** The names of all that an organization is granted. */
  readonly findGrants: (organizationId: string) => Found<ReadonlySet<string>>
  /** Every role that a user, a service account or an identity pool has, and on what. */
  readonly findRoleBindings: (principalId: string) => Found<readonly RoleBindingRecord[]>
  /** Whether one of our tokens was revoked, by its `jti`. */
  readonly isTokenRevoked: (jti: string) => boolean
  /** Our signing keys; undefined before any was made. Never throws. */
  readonly signingKeys: () => SigningKeys | undefined
  /**
   * Limits that are not the configured ones: another function as soon as any has changed. While the
   * database is away, those that were read last. Never throws.
   */
  readonly limitOverrideFinder: () => FindLimitOverride
  /** How look-ups of records were answered since the start. */
  readonly lookUpCounts: () => LookUpCounts
}

/** The look-ups, and how they are kept up to date. */
export type CachedLookUps = LookUps & {
  /** Read what is kept whole. To be called once, when changes are being told. */
  readonly open: () => Promise<void>
  /**
   * A record has changed: what is known of it is not used again.
   *
   * @returns false where this version of the program does not know the kind
   */
  readonly forget: (kind: string, id: string) => boolean
  /** Anything may have changed. */
  readonly distrust: () => void
  readonly refreshSigningKeys: () => Promise<void>
  readonly refreshLimitOverrides: () => Promise<void>
  readonly close: () => Promise<void>
}

type Parts = {
  readonly session: Session
  readonly sealing: Sealing
  readonly availability: Availability
  readonly limits: CacheLimits
  readonly now: () => number
  readonly log: DirectoryLog
}

/** Answer look-ups from memory where that is known to be up to date. */
export function createLookUps(parts: Parts): CachedLookUps {
  const { session, sealing, limits, log } = parts
  const keys = createRecordCache({ ...parts, lookUp: (id) => readKey(session, id) })
  const nobodysKeys = createRecordCache({ ...parts, lookUp: (id) => readKey(session, id) })
  const providers = createRecordCache({
    ...parts,
    lookUp: (issuer) => readProviders(session, issuer),
  })
  const pools = createRecordCache({ ...parts, lookUp: (id) => readPool(session, id) })
  const clients = createRecordCache({ ...parts, lookUp: (id) => readPartnerClient(session, id) })
  const grants = createRecordCache({ ...parts, lookUp: (id) => readGrants(session, id) })
  const bindings = createRecordCache({ ...parts, lookUp: (id) => readRoleBindings(session, id) })
  const revocations = createRevocations(parts)
  const signingKeys = createSnapshot<SigningKeys | undefined>({
    ...parts,
    what: 'the signing keys',
    initial: undefined,
    intervalMs: limits.maxAgeMs,
    read: createSigningKeyReader(session, sealing, log),
  })
  const overrides = createSnapshot({
    ...parts,
    what: 'the overrides of limits',
    initial: noOverrides,
    intervalMs: limits.maxAgeMs,
    read: createOverrideReader(session),
  })
  const caches = [keys, nobodysKeys, providers, pools, clients, grants, bindings]
  const snapshots = [revocations, signingKeys, overrides]

  /** By the kinds that the triggers of the schema notify. */
  const forgetting = new Map<string, (id: string) => void>([
    ['api-key', keys.forget],
    ['issuer', providers.forget],
    ['identity-pool', pools.forget],
    ['partner-client', clients.forget],
    ['access-grants', grants.forget],
    ['role-bindings', bindings.forget],
    ['token', revocations.told],
    ['signing-key', () => void signingKeys.refresh()],
    ['limit-override', () => void overrides.refresh()],
    // Not looked up by themselves.
    ['partner', () => undefined],
    ['resource', () => undefined],
  ])

  return {
    findApiKey: (id) => (isKeyId(id) ? keys.find(id) : undefined),
    findNoApiKey: (id) => (isKeyId(id) ? findNothing(nobodysKeys, id) : undefined),
    findProviders: (issuer) =>
      isIssuer(issuer) ? orElse(providers.find(issuer), noProviders) : noProviders,
    findPool: (id) => (isPoolId(id) ? pools.find(id) : undefined),
    findPartnerClient: (id) => (isClientId(id) ? clients.find(id) : undefined),
    findGrants: (organizationId) => orElse(grants.find(organizationId), noGrants),
    findRoleBindings: (principalId) => orElse(bindings.find(principalId), noBindings),
    isTokenRevoked: revocations.isTokenRevoked,
    signingKeys: signingKeys.value,
    limitOverrideFinder: overrides.value,
    lookUpCounts: () => {
      const sum = { remembered: 0, asked: 0, withoutDatabase: 0 }
      for (const { remembered, asked, withoutDatabase } of caches.map((cache) => cache.counts())) {
        sum.remembered += remembered
        sum.asked += asked
        sum.withoutDatabase += withoutDatabase
      }
      return sum
    },

    open: async () => {
      try {
        for (const snapshot of snapshots) await snapshot.open()
      } catch (error) {
        await close()
        throw error
      }
    },
    forget: (kind, id) => {
      const forget = forgetting.get(kind)
      forget?.(id)
      return forget !== undefined
    },
    distrust: () => {
      for (const cache of caches) cache.distrust()
      for (const snapshot of snapshots) void snapshot.refresh()
    },
    refreshSigningKeys: signingKeys.refresh,
    refreshLimitOverrides: overrides.refresh,
    close,
  }

  async function close(): Promise<void> {
    await Promise.all(snapshots.map((snapshot) => snapshot.close()))
  }
}

const noProviders: readonly ProviderWithPools[] = []
const noGrants: ReadonlySet<string> = new Set()
const noBindings: readonly RoleBindingRecord[] = []

/** No key has an id with a hyphen, and all else is alike: the statement, the cache and the length. */
function findNothing(
  nobodysKeys: RecordCache<KeyRecord>,
  keyId: string,
): undefined | Promise<undefined> {
  try {
    const found = nobodysKeys.find(`-${keyId.slice(1)}`)
    const nothing = (): undefined => undefined
    return found instanceof Promise ? found.then(nothing, nothing) : undefined
  } catch {
    // The database is away: who is refused by what is known does not wait for it.
    return undefined
  }
}

function orElse<Value>(found: Found<Value | undefined>, otherwise: Value): Found<Value> {
  if (found instanceof Promise) return found.then((value) => value ?? otherwise)
  return found ?? otherwise
}
