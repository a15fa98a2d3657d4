import type { Session } from './database.ts'
import { insertUsedAssertion } from './sql/tokens.ts'

/**
 * Use up the id of an assertion by which a client authenticates (RFC 7523 §3, `jti`). Of several
 * uses at the same time, wherever they are, one is the first. It is no change that the audit shows.
 *
 * @param expiresAtMs when the assertion expires, in milliseconds since the epoch; from some minutes
 *   after that on, its id counts as unused again
 * @returns whether it was not used before
 * @throws {GatewayError} VALIDATION_FAILED where the id is empty or longer than 255 characters;
 *   DIRECTORY_UNAVAILABLE, after which the assertion may be used up or not
 */
export type UseAssertion = (clientId: string, jti: string, expiresAtMs: number) => Promise<boolean>

export function createUseAssertion(session: Session): UseAssertion {
  return async (clientId, jti, expiresAtMs) =>
    (await session.query(insertUsedAssertion, clientId, jti, expiresAtMs)).length > 0
}
