import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readStrictJson } from '../../../src/auth/tokens/strict-json.ts'

const wide = { maxDepth: 100, maxNodes: 100_000 }

/** JSON objects as text, with white space, in which no name stands twice. */
const jsonObject = fc
  .tuple(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), fc.constantFrom(0, 1, '\t'))
  .filter(([object]) => !JSON.stringify(object).includes('"__proto__"'))
  .map(([object, space]) => ({ object, text: JSON.stringify(object, null, space) }))

test('reads every object as JSON.parse does', () => {
  fc.assert(
    fc.property(jsonObject, ({ text }) => {
      expect(readStrictJson(text, wide)).toEqual(JSON.parse(text))
    }),
  )
})

test('whatever the text is, answers what JSON.parse answers, or undefined', () => {
  const pieces = ['{', '}', '[', ']', ':', ',', '"', '\\', '"a"', '"\\u0061"', '1', ' ', 'null']
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...pieces)).map((some) => `{"x":${some.join('')}}`),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const read = readStrictJson(text, wide)
      if (read !== undefined) expect(read).toEqual(JSON.parse(text))
    }),
    { numRuns: 2000 },
  )
})

test('a name that stands twice is refused at any depth, however it is written', () => {
  const escaped = (name: string): string =>
    Array.from(name, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  const name = fc
    .string({ unit: 'grapheme-ascii', minLength: 1 })
    .filter((some) => !/["\\]/.test(some))
  const around = fc.array(fc.constantFrom('object', 'array'), { maxLength: 6 })
  fc.assert(
    fc.property(name, around, fc.boolean(), fc.jsonValue(), (one, levels, escape, value) => {
      const inner = `{"${one}":${JSON.stringify(value)},"z${one}":0,"${escape ? escaped(one) : one}":1}`
      const text = levels.reduce(
        (within, level) => (level === 'object' ? `{"a":0,"b":${within}}` : `[0,${within}]`),
        inner,
      )
      expect(readStrictJson(`{"root":${text}}`, wide)).toBeUndefined()
    }),
  )
})

test('depth and number of members are bounded, to the last one', () => {
  const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
  expect(readStrictJson(nested(5), { maxDepth: 5, maxNodes: 100 })).toBeDefined()
  expect(readStrictJson(nested(6), { maxDepth: 5, maxNodes: 100 })).toBeUndefined()
  const many = (count: number): string => `{"a":[${Array(count).fill('1').join(',')}]}`
  expect(readStrictJson(many(50), { maxDepth: 5, maxNodes: 60 })).toBeDefined()
  expect(readStrictJson(many(70), { maxDepth: 5, maxNodes: 60 })).toBeUndefined()
})

test('two megabytes of hostile text are walked once', () => {
  // Quadratic work would take minutes, which is the run's own time-out.
  const hostile = [
    `{"a":"${'\\"'.repeat(1_000_000)}`,
    `{"a":${'"'.repeat(2_000_001)}`,
    `{"a":${'['.repeat(2_000_000)}`,
    `{"a":${' '.repeat(2_000_000)}`,
    `{${'"a":1,'.repeat(300_000)}`,
    `{"a":${'\\'.repeat(2_000_000)}`,
  ]
  for (const text of hostile) expect(readStrictJson(text, wide)).toBeUndefined()
})
