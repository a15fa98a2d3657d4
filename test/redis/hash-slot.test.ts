import { expect, it } from 'vitest'
import { hashSlot } from '../../src/redis/hash-slot.ts'

it.each([
  // The check value of CRC-16/XMODEM.
  ['123456789', 0x31c3 % 16_384],
  // The examples of the cluster specification: what stands in the first pair of braces counts.
  ['{user1000}.following', hashSlot('user1000')],
  ['foo{{bar}}zap', hashSlot('{{bar}')],
  ['foo{bar}{zap}', hashSlot('bar')],
  ['', 0],
])('the slot of %s is that of its hash tag', (key, slot) => {
  expect(hashSlot(key)).toBe(slot)
})
