/**
 * Every algorithm that a token may be signed with. All are asymmetric, so no key that verifies can
 * sign, and no `oct` key fits any.
 *
 * @see RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2 (`Ed25519` is `EdDSA` here)
 */
export const signatureAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

export type SignatureAlgorithm = (typeof signatureAlgorithms)[number]

/** The algorithm that a name stands for, or undefined for any other name. */
export function algorithmNamed(name: unknown): SignatureAlgorithm | undefined {
  if (name === 'Ed25519') return 'EdDSA'
  return signatureAlgorithms.find((algorithm) => algorithm === name)
}

/** The algorithms that a list of names and families (`RS`, `PS`, `ES`) allows. */
export function algorithmsAllowed(names: readonly string[]): ReadonlySet<SignatureAlgorithm> {
  return new Set(
    signatureAlgorithms.filter((algorithm) =>
      names.some((name) => name === algorithm.slice(0, 2) || algorithmNamed(name) === algorithm),
    ),
  )
}
