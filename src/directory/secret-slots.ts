import { GatewayError } from '../errors/gateway-error.ts'
import type { Session } from './database.ts'
import type { SecretDigests } from './pepper.ts'
import type { SecretSlots } from './sql/secret-slots.ts'

/** One secret of a credential, as stored: never the secret itself. */
export type StoredSecret = {
  /** HMAC-SHA-256 of the secret, 32 bytes. */
  readonly digest: Buffer
  /** Which pepper the digest was made with. */
  readonly pepperId: string
  /** Milliseconds since the epoch; undefined: never. */
  readonly expiresAtMs: number | undefined
}

/** The stored secret of a row, or none where its owner has none. */
export function storedSecrets(row: {
  readonly digest: Buffer | null
  readonly pepper_id: string | undefined
  readonly secret_expires_at_ms: number | undefined
}): readonly StoredSecret[] {
  const { digest, pepper_id: pepperId, secret_expires_at_ms: expiresAtMs } = row
  return digest === null || pepperId === undefined ? [] : [{ digest, pepperId, expiresAtMs }]
}

/** Give a new credential its first secret. */
export async function putFirstSecret(
  session: Session,
  slots: SecretSlots,
  { digestNew }: SecretDigests,
  ownerId: string,
  secret: string,
): Promise<void> {
  const { digest, pepperId } = digestNew(secret)
  await session.query(slots.put, ownerId, 1, digest, pepperId)
}

/**
 * Have the newer one of two secrets work alone, of a credential that the transaction has locked.
 *
 * @throws {GatewayError} CONFLICT where fewer than two secrets work
 */
export async function retireOlderSecret(
  session: Session,
  slots: SecretSlots,
  ownerId: string,
): Promise<void> {
  const [, older] = await session.query(slots.live, ownerId)
  if (older === undefined)
    throw new GatewayError('CONFLICT', { details: 'There are no two secrets that work.' })
  await session.query(slots.remove, ownerId, older.slot)
}

/**
 * Give a credential that the transaction has locked a second secret beside the one it has, so that
 * callers can move over without a gap.
 *
 * @param otherExpiresAtMs when the other secret ends, in ms since the epoch; undefined: as before
 * @throws {GatewayError} CONFLICT where two secrets work already
 */
export async function addSecondSecret(
  session: Session,
  slots: SecretSlots,
  { digestNew }: SecretDigests,
  ownerId: string,
  secret: string,
  otherExpiresAtMs: number | undefined,
): Promise<void> {
  const taken = (await session.query(slots.live, ownerId)).map(({ slot }) => slot)
  const free = [1, 2].find((slot) => !taken.includes(slot))
  if (free === undefined)
    throw new GatewayError('CONFLICT', { details: 'Two secrets work already.' })
  if (otherExpiresAtMs !== undefined) await session.query(slots.expire, ownerId, otherExpiresAtMs)
  const { digest, pepperId } = digestNew(secret)
  await session.query(slots.put, ownerId, free, digest, pepperId)
}
