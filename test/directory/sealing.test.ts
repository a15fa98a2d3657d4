import { describe, expect, test } from 'vitest'
import { createSealing } from '../../src/directory/sealing.ts'

const p1 = { id: 'p1', secret: 'the first pepper' }
const p2 = { id: 'p2', secret: 'the second pepper' }
const secret = Buffer.from('a private key')

describe('what is sealed', () => {
  const { seal, unseal } = createSealing({ current: p1, previous: [] }, 'test')

  test('shows nothing, not even that it is the same again, and can be read back', () => {
    const { sealed, pepperId } = seal(secret, 'kid')
    expect(sealed.includes(secret)).toBe(false)
    expect(seal(secret, 'kid').sealed).not.toEqual(sealed)
    expect(unseal(sealed, pepperId, 'kid')).toEqual(secret)
  })

  test('is read for the context alone that it was sealed for', () => {
    const { sealed, pepperId } = seal(secret, 'kid')
    expect(unseal(sealed, pepperId, 'other')).toBeUndefined()
  })

  test('is not read where any bit of it was changed, nor a part of it', () => {
    const { sealed, pepperId } = seal(secret, 'kid')
    for (let index = 0; index < sealed.length; index++) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(sealed.readUInt8(index) ^ 1, index)
      expect(unseal(changed, pepperId, 'kid')).toBeUndefined()
      expect(unseal(sealed.subarray(0, index), pepperId, 'kid')).toBeUndefined()
    }
  })

  test('is read while its pepper is configured, for its own purpose, and no longer', () => {
    const { sealed, pepperId } = seal(secret, 'kid')
    const after = createSealing({ current: p2, previous: [p1] }, 'test')
    expect(after.unseal(sealed, pepperId, 'kid')).toEqual(secret)
    expect(after.seal(secret, 'kid').pepperId).toBe('p2')
    const without = createSealing({ current: p2, previous: [] }, 'test')
    expect(without.unseal(sealed, pepperId, 'kid')).toBeUndefined()
    const other = createSealing({ current: p1, previous: [] }, 'another purpose')
    expect(other.unseal(sealed, pepperId, 'kid')).toBeUndefined()
  })
})
