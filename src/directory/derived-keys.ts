import { hkdfSync } from 'node:crypto'
import type { Peppers } from './pepper.ts'

/**
 * Keys for a use of their own, the same in every process that has the same peppers; the first is
 * for what is made now, and all are for what was made (HKDF-SHA-256, RFC 5869; 32 bytes each).
 *
 * @param purpose sets the keys apart from those of any other use of the peppers
 */
export function deriveKeys({ current, previous }: Peppers, purpose: string): readonly Buffer[] {
  return [current, ...previous].map(({ secret }) =>
    Buffer.from(hkdfSync('sha256', secret, '', purpose, 32)),
  )
}
