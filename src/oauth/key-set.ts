import { acceptedKeys, type ReadOwnKeys } from '../auth/own/signing-keys.ts'
import { GatewayError } from '../errors/gateway-error.ts'

type JsonWebKeySet = { readonly keys: readonly Readonly<Record<string, string>>[] }

/**
 * The public halves of our keys: the one that signs, the next one, and those whose tokens still live.
 *
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE where there is none yet: an empty set would be kept
 *   by whoever fetches it, and refuse the first tokens
 * @see RFC 7517 §5
 */
export function readKeySet(ownKeys: ReadOwnKeys, nowMs: number): JsonWebKeySet {
  const keys = acceptedKeys(ownKeys(), nowMs).map(({ publicJwk }) => publicJwk)
  if (keys.length === 0) throw new GatewayError('DIRECTORY_UNAVAILABLE')
  return { keys }
}
