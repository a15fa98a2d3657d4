import { expect, test } from 'vitest'
import { createVerifiedTokens, digestToken } from '../../../src/auth/tokens/verified-tokens.ts'

const token = (name: string) => digestToken(name, 'here')

test('a finding is kept for a minute, and not beyond the end of its token', () => {
  let nowMs = 1000
  const tokens = createVerifiedTokens<string>({ now: () => nowMs })
  tokens.remember(token('long'), 'long', { expiresAtMs: 1e9, bytes: 1 })
  tokens.remember(token('short'), 'short', { expiresAtMs: 6000, bytes: 1 })
  nowMs = 5999
  expect(tokens.find(token('short'))).toBe('short')
  nowMs = 6000
  expect(tokens.find(token('short'))).toBeUndefined()
  nowMs = 60_999
  expect(tokens.find(token('long'))).toBe('long')
  nowMs = 61_000
  expect(tokens.find(token('long'))).toBeUndefined()
})

test('the least recently used go first, by number and by size', () => {
  const few = createVerifiedTokens<number>({ now: () => 0, maxEntries: 3 })
  for (const [index, name] of ['a', 'b', 'c'].entries())
    few.remember(token(name), index, { expiresAtMs: 1000, bytes: 1 })
  few.find(token('a'))
  few.remember(token('d'), 3, { expiresAtMs: 1000, bytes: 1 })
  expect(['a', 'b', 'c', 'd'].map((name) => few.find(token(name)))).toEqual([0, undefined, 2, 3])

  const small = createVerifiedTokens<number>({ now: () => 0, maxBytes: 5000 })
  for (const [index, name] of ['a', 'b', 'c'].entries())
    small.remember(token(name), index, { expiresAtMs: 1000, bytes: 2000 })
  expect(['a', 'b', 'c'].map((name) => small.find(token(name)))).toEqual([undefined, 1, 2])
})

test('what a token was verified against is part of its digest, and its text is not', () => {
  expect(digestToken('t', 'a')).not.toBe(digestToken('t', 'b'))
  expect(digestToken('secret-token', 'a')).not.toContain('secret')
})
