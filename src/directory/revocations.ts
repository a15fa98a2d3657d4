import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Availability } from './availability.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import type { DirectoryLog } from './directory-log.ts'
import type { CacheLimits } from './record-cache.ts'
import { createSnapshot, type Snapshot } from './snapshot.ts'
import { insertRevocation, liveRevocations } from './sql/tokens.ts'

/** The ids of revoked tokens, all of them in memory. */
export type Revocations = Pick<Snapshot<unknown>, 'open' | 'refresh' | 'close'> & {
  /** @throws {GatewayError} DIRECTORY_UNAVAILABLE where they were last read too long ago */
  readonly isTokenRevoked: (jti: string) => boolean
  /** A token is revoked, as of now. */
  readonly told: (jti: string) => void
}

type Parts = {
  readonly session: Session
  readonly limits: CacheLimits
  readonly availability: Availability
  readonly now: () => number
  readonly log: DirectoryLog
}

/** Keep the ids of all tokens that are revoked and have not expired. */
export function createRevocations(parts: Parts): Revocations {
  const { session, limits, now } = parts
  /** Those that a reading under way may have come too early for. */
  const toldWhileReading = new Set<string>()
  const snapshot = createSnapshot({
    ...parts,
    what: 'the list of revoked tokens',
    initial: new Set<string>(),
    intervalMs: limits.maxAgeMs,
    read: async () => {
      toldWhileReading.clear()
      const rows = await session.query(liveRevocations)
      return new Set([...rows.map(({ jti }) => jti), ...toldWhileReading])
    },
  })
  return {
    open: snapshot.open,
    refresh: snapshot.refresh,
    close: snapshot.close,
    isTokenRevoked: (jti) => {
      if (now() - snapshot.readAtMs() > limits.staleMs)
        throw new GatewayError('DIRECTORY_UNAVAILABLE')
      return snapshot.value().has(jti)
    },
    told: (jti) => {
      toldWhileReading.add(jti)
      snapshot.value().add(jti)
    },
  }
}

/**
 * Refuse a token from now on, until it expires. Revoking it again changes nothing.
 *
 * @param expiresAtMs when the token expires, in milliseconds since the epoch
 */
export type RevokeToken = (jti: string, expiresAtMs: number, actor: Actor) => Promise<void>

export function createRevokeToken(make: MakeChange): RevokeToken {
  return (jti, expiresAtMs, actor) => make(actor, (change) => revoke(change, jti, expiresAtMs))
}

async function revoke(change: Change, jti: string, expiresAtMs: number): Promise<void> {
  const [revoked] = await change.query(insertRevocation, jti, expiresAtMs)
  if (revoked !== undefined) await change.record('token.revoked', undefined, jti)
}
