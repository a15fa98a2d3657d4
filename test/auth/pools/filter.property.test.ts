import fc from 'fast-check'
import { expect, test } from 'vitest'
import { celClaims } from '../../../src/auth/pools/cel-claims.ts'
import { createFilterCompiler } from '../../../src/auth/pools/filter.ts'

const compile = createFilterCompiler()

const value = fc.oneof(fc.constantFrom('"a"', '"b"', 'true', '1', '2.5', 'null', '[]', '["a"]'))
const path = fc.constantFrom(
  'claims.sub',
  'claims.groups',
  'claims["a b"]',
  'claims.n',
  'claims.x.y',
)

/** Expressions of every shape that a filter may have. */
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'filter' },
    value,
    path,
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('==', '!=', '&&', '||', '<', '+', 'in'),
        tie('expression'),
      )
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    tie('expression').map((inner) => `!(${inner})`),
    fc
      .tuple(path, fc.constantFrom('all', 'exists', 'map', 'filter'), tie('expression'))
      .map(([range, macro, test]) => `${range}.${macro}(x, ${test})`),
    tie('expression').map((inner) => `(${inner} ? true : x)`.replace(': x', ': false')),
  ),
}))

const claims = fc.dictionary(
  fc.constantFrom('sub', 'groups', 'a b', 'n', 'x', 'constructor'),
  fc.oneof(fc.string(), fc.array(fc.string()), fc.jsonValue({ maxDepth: 3 })),
)

test('whatever the filter and the claims are, the answer is a boolean or a refusal', () => {
  fc.assert(
    fc.property(expression, claims, (text, of) => {
      const filter = compile(text)
      const readable = celClaims(of)
      if (filter.kind === 'problem' || readable === undefined) return
      expect(filter.matches(readable)).toBeTypeOf('boolean')
    }),
    { numRuns: 1000 },
  )
})

test('any text at all is compiled or refused', () => {
  const pieces = [
    'claims',
    '.',
    'sub',
    '(',
    ')',
    '[',
    ']',
    '"',
    '==',
    '&&',
    '?',
    ':',
    '1',
    'x',
    ' ',
  ]
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((some) => some.join('')),
  )
  fc.assert(
    fc.property(text, (some) => {
      expect(['filter', 'problem']).toContain(compile(some).kind)
    }),
    { numRuns: 2000 },
  )
})

test('equality with a string and membership of a list agree with JavaScript', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.array(fc.string(), { maxLength: 5 }), (a, b, list) => {
      const readable = celClaims({ a, list })
      const quoted = JSON.stringify(b)
      const equal = compile(`claims.a == ${quoted}`)
      const member = compile(`${quoted} in claims.list`)
      if (readable === undefined || equal.kind === 'problem' || member.kind === 'problem') return
      expect(equal.matches(readable)).toBe(a === b)
      expect(member.matches(readable)).toBe(list.includes(b))
    }),
  )
})
