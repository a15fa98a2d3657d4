/**
 * Say whether an RSA modulus was made by the flawed generator of CVE-2017-15361 ("ROCA"), whose
 * primes are powers of 65537 modulo a product of small primes; such a modulus can be factored.
 * A good modulus is taken for one with a probability below 2^-27.
 *
 * @see Nemec et al., "The Return of Coppersmith's Attack", §2.3 (the fingerprint)
 */
export function isRocaModulus(modulus: bigint): boolean {
  return smallPrimes.every((prime) => isPowerOf65537(Number(modulus % BigInt(prime)), prime))
}

const smallPrimes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
  103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
]

function isPowerOf65537(residue: number, prime: number): boolean {
  for (let exponent = 0, power = 1; exponent < prime; exponent++) {
    if (power === residue) return true
    power = (power * (65537 % prime)) % prime
  }
  return false
}
