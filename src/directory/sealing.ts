import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { Pepper, Peppers } from './pepper.ts'

/** Keeps secrets that have to be read again, as private keys have, from who reads the database. */
export type Sealing = {
  /** Encrypt under the current pepper. Only for the same context is it decrypted again. */
  readonly seal: (secret: Buffer, context: string) => { sealed: Buffer; pepperId: string }
  /** Undefined where the pepper is not configured, or the text was changed or is of another context. */
  readonly unseal: (sealed: Buffer, pepperId: string, context: string) => Buffer | undefined
}

const algorithm = 'aes-256-gcm'
const nonceLength = 12
const tagLength = 16

/**
 * Seal with AES-256-GCM under keys that are derived from the peppers (HKDF-SHA-256, RFC 5869).
 *
 * @param purpose sets the derived keys apart from those of any other use of the peppers
 */
export function createSealing({ current, previous }: Peppers, purpose: string): Sealing {
  const keyOf = ({ secret }: Pepper): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))
  const keys = new Map([...previous, current].map((pepper) => [pepper.id, keyOf(pepper)]))
  const currentKey = keyOf(current)

  return {
    seal: (secret, context) => {
      const nonce = randomBytes(nonceLength)
      const cipher = createCipheriv(algorithm, currentKey, nonce, { authTagLength: tagLength })
      cipher.setAAD(Buffer.from(context))
      const text = Buffer.concat([cipher.update(secret), cipher.final()])
      return { sealed: Buffer.concat([nonce, cipher.getAuthTag(), text]), pepperId: current.id }
    },
    unseal: (sealed, pepperId, context) => {
      const key = keys.get(pepperId)
      return key && open(key, sealed, context)
    },
  }
}

function open(key: Buffer, sealed: Buffer, context: string): Buffer | undefined {
  const nonce = sealed.subarray(0, nonceLength)
  const tag = sealed.subarray(nonceLength, nonceLength + tagLength)
  try {
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagLength })
    decipher.setAAD(Buffer.from(context))
    decipher.setAuthTag(tag)
    const text = sealed.subarray(nonceLength + tagLength)
    return Buffer.concat([decipher.update(text), decipher.final()])
  } catch {
    // Too short, or not made by this key for this context: the caller says what that means.
    return undefined
  }
}
