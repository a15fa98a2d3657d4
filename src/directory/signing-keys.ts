import { createHash, generateKeyPairSync, type KeyObject, type webcrypto } from 'node:crypto'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import type { Sealing } from './sealing.ts'
import type { SigningAlgorithm } from './signing-key-record.ts'
import {
  allPublicKeys,
  dueRotation,
  insertSigningKey,
  keysInUse,
  lockSigningKeys,
  makeSigningKeyCurrent,
  pruneSigningKeys,
  retireSigningKey,
} from './sql/signing-keys.ts'

export type Rotation = {
  /** Of the new next key. */
  readonly algorithm: SigningAlgorithm
  /** The next key takes over only after it was published for so long that everybody knows it. */
  readonly minPublishedMs: number
  /** How long the key that is replaced is kept: the longest that a token of ours lives, and more. */
  readonly keepPreviousMs: number
  /** Take over although it was not published for so long: where the current key is compromised. */
  readonly force?: boolean
}

/** When keys take turns by themselves. */
export type RotationSchedule = Omit<Rotation, 'force'> & {
  /** How long a key signs. */
  readonly everyMs: number
}

/** A signing key as lists show it. Instants are milliseconds since the epoch. */
export type ListedSigningKey = {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly state: 'next' | 'current' | 'previous'
  readonly publicJwk: Readonly<Record<string, string>>
  /** Undefined where it is not known, as of keys in files. */
  readonly createdAtMs: number | undefined
  readonly currentSinceMs: number | undefined
  readonly keepUntilMs: number | undefined
}

/** The keys that tokens of ours are signed with, over time. Each change counts here at once. */
export type KeyRotation = {
  /** Make a current and a next key where there is none. Of several processes, one does it. */
  readonly ensure: (algorithm: SigningAlgorithm, actor: Actor) => Promise<void>
  /**
   * Have the next key take over, keep the current one as previous, and publish a new next one.
   * CONFLICT where the next key was published too short a time ago.
   */
  readonly rotate: (rotation: Rotation, actor: Actor) => Promise<void>
  /**
   * Rotate where the current key has signed for its time and the next one was published for long
   * enough, on the database's clock. Of several processes, one does it. Resolves with whether this
   * one did.
   */
  readonly rotateIfDue: (schedule: RotationSchedule, actor: Actor) => Promise<boolean>
  /** Delete previous keys that were kept for long enough. */
  readonly prune: (actor: Actor) => Promise<void>
  /** All of them, the newest first; never a private one. */
  readonly list: () => Promise<readonly ListedSigningKey[]>
}

/**
 * Manage signing keys.
 *
 * @param refresh reads again what this process has in memory of them
 */
export function manageSigningKeys(
  session: Session,
  make: MakeChange,
  sealing: Sealing,
  refresh: () => Promise<void>,
): KeyRotation {
  const changing: MakeChange = async (actor, work) => {
    const result = await make(actor, work)
    await refresh()
    return result
  }
  return {
    ensure: (algorithm, actor) =>
      changing(actor, async (change) => {
        await ensure(change, sealing, algorithm, 0)
      }),
    rotate: (rotation, actor) => changing(actor, (change) => rotate(change, sealing, rotation)),
    rotateIfDue: async (schedule, actor) => {
      // Nearly always nothing is due, and then nothing is locked.
      if (!(await isDue(session, schedule))) return false
      return changing(actor, (change) => rotateIfDue(change, sealing, schedule))
    },
    prune: (actor) => changing(actor, prune),
    list: () => list(session),
  }
}

type Pair = {
  readonly current: string
  readonly next: { readonly kid: string; readonly isTooNew: boolean }
}

/** Alone among all processes until the transaction ends, find both keys or make what is missing. */
async function ensure(
  change: Change,
  sealing: Sealing,
  algorithm: SigningAlgorithm,
  minPublishedMs: number,
): Promise<Pair> {
  await change.query(lockSigningKeys)
  const rows = await change.query(keysInUse, minPublishedMs)
  const current = rows.find(({ state }) => state === 'current')
  const next = rows.find(({ state }) => state === 'next')
  return {
    current: current?.kid ?? (await createKey(change, sealing, algorithm, 'current')),
    next: next
      ? { kid: next.kid, isTooNew: next.is_too_new }
      : { kid: await createKey(change, sealing, algorithm, 'next'), isTooNew: true },
  }
}

async function rotate(change: Change, sealing: Sealing, rotation: Rotation): Promise<void> {
  const { algorithm, minPublishedMs, keepPreviousMs, force = false } = rotation
  const { current, next } = await ensure(change, sealing, algorithm, minPublishedMs)
  if (next.isTooNew && !force)
    throw new GatewayError('CONFLICT', {
      details: 'The next signing key has not been published for long enough.',
    })
  await change.query(retireSigningKey, current, keepPreviousMs)
  await change.query(makeSigningKeyCurrent, next.kid)
  await change.record('signing-key.retired', undefined, current)
  await change.record('signing-key.became-current', undefined, next.kid)
  await createKey(change, sealing, algorithm, 'next')
}

function isDue(
  { query }: Pick<Session, 'query'>,
  { everyMs, minPublishedMs }: RotationSchedule,
): Promise<boolean> {
  return query(dueRotation, everyMs, minPublishedMs).then((rows) => rows.length > 0)
}

/** Whoever had the lock before may have rotated: what was due then is looked at again. */
async function rotateIfDue(
  change: Change,
  sealing: Sealing,
  schedule: RotationSchedule,
): Promise<boolean> {
  await change.query(lockSigningKeys)
  if (!(await isDue(change, schedule))) return false
  await rotate(change, sealing, schedule)
  return true
}

async function createKey(
  change: Change,
  sealing: Sealing,
  algorithm: SigningAlgorithm,
  state: 'current' | 'next',
): Promise<string> {
  const { publicKey, privateKey } = generate(algorithm)
  const bare = publicKey.export({ format: 'jwk' })
  const kid = thumbprint(bare)
  const jwk = JSON.stringify({ ...bare, kid, alg: algorithm, use: 'sig' })
  const secret = privateKey.export({ format: 'der', type: 'pkcs8' })
  const { sealed, pepperId } = sealing.seal(secret, kid)
  await change.query(insertSigningKey, kid, algorithm, jwk, sealed, pepperId, state)
  await change.record('signing-key.created', undefined, kid)
  return kid
}

function generate(algorithm: SigningAlgorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  switch (algorithm) {
    case 'EdDSA':
      return generateKeyPairSync('ed25519')
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  }
}

/** RFC 7638 §3: the required members, in lexicographic order. `y` is absent in an Ed25519 key. */
function thumbprint({ crv, kty, x, y }: webcrypto.JsonWebKey): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}

async function prune(change: Change): Promise<void> {
  const deleted = await change.query(pruneSigningKeys)
  const kids = deleted.map(({ kid }) => kid)
  await change.record('signing-key.deleted', undefined, ...kids)
}

async function list(session: Session): Promise<readonly ListedSigningKey[]> {
  const rows = await session.query(allPublicKeys)
  return rows.map((row) => ({
    kid: row.kid,
    algorithm: row.algorithm,
    state: row.state,
    publicJwk: row.public_jwk,
    createdAtMs: row.created_at_ms,
    currentSinceMs: row.current_since_ms,
    keepUntilMs: row.keep_until_ms,
  }))
}
