import type { webcrypto } from 'node:crypto'
import type { SignatureAlgorithm } from './algorithm.ts'

/** A public key that was vetted, for one algorithm. */
export type VerificationKey = {
  readonly kid: string
  readonly algorithm: SignatureAlgorithm
  readonly key: webcrypto.CryptoKey
}

/**
 * Find the key of an id among those of one issuer, or undefined where the issuer has none of that
 * id. It answers without a promise where its keys are at hand.
 *
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE where it cannot be told, thrown or rejected
 */
export type FindKey = (
  kid: string,
) => VerificationKey | undefined | Promise<VerificationKey | undefined>
