import { expect, test } from 'vitest'
import { fuzz } from './fuzz.ts'
import { createRandom, mutate } from './mutate.ts'

test('of mutated requests none breaks the gateway, passes unknown, or arrives altered', async () => {
  const report = await fuzz({ seed: 7, count: 600, deadlineMs: 20_000 })
  expect(report.violations).toEqual([])
  expect(report.forwarded).toBeGreaterThan(0)
})

test('a seed gives the same mutants every time, another seed others', () => {
  const mutants = (seed: number): readonly string[] => {
    const random = createRandom(seed)
    const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
    return Array.from({ length: 50 }, () => mutate(request, random, [request]))
  }
  expect(mutants(1)).toEqual(mutants(1))
  expect(mutants(1)).not.toEqual(mutants(2))
})
