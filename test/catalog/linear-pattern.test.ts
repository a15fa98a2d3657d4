import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileLinear } from '../../src/catalog/validation/linear-pattern.ts'

test.each([
  ['^[a-z]+(?:-[a-z0-9]+)*$', ['a', 'a-b', 'a-', '-', 'ab-c9-d']],
  ['^(a+)+$', ['aaaa', 'aaab']],
  ['^\\d{2,4}$', ['1', '12', '1234', '12345']],
  ['b', ['abc', 'ac']],
  ['^(lkc|lsrc)-[\\w.]+$', ['lkc-1', 'lsrc-a.b', 'x-1']],
  ['^[^\\s/-]*$', ['a/b', 'ab', 'a b', '']],
  ['^.$', ['é', '💙', '\n', 'ab']],
  ['^(?<year>\\x41|\\u0042)?$', ['', 'A', 'B', 'C']],
  ['a{0}b{2,}?$', ['b', 'bb', 'abbb']],
  ['(?:)*a|', ['', 'b']],
])('%s means what it means to the language', (source, texts) => {
  const linear = compileLinear(source)
  const own = new RegExp(source, 'u')
  for (const text of texts) expect([text, linear?.(text)]).toEqual([text, own.test(text)])
})

test.each(['(?=a)', '(?<!a)b', '(a)\\1', '\\bword', '\\p{L}', '^a{1,999}$', '(?i:a)'])(
  '%s is left out',
  (source) => {
    expect(compileLinear(source)).toBeUndefined()
  },
)

test('what needs no escape may be escaped, as documents in use do', () => {
  const linear = compileLinear("^[^\\<\\>\\'\\-]+\\@$")
  expect(['a@', 'a-@', 'a'].map((text) => linear?.(text))).toEqual([true, false, false])
})

test('patterns that take exponential time elsewhere are decided', () => {
  expect(compileLinear('^(?:(?:a|a)*)*$')?.(`${'a'.repeat(20_000)}!`)).toBe(false)
})

test('any pattern means what it means to the language', () => {
  const leaf = fc.constantFrom('a', 'b', '[ab]', '[^a]', '.', '\\w', '^', '$', '')
  const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc.tuple(tie('pattern'), tie('pattern')).map((parts) => parts.join('')),
      fc.tuple(tie('pattern'), tie('pattern')).map((parts) => `(?:${parts.join('|')})`),
      fc
        .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{0,}'))
        .map(([part, quantifier]) => `(?:${part})${quantifier}`),
    ),
  }))
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n'), maxLength: 6 })
  fc.assert(
    fc.property(pattern, text, (source, value) => {
      const linear = compileLinear(source)
      if (linear === undefined) throw new Error(`${source} is left out`)
      expect(linear(value)).toBe(new RegExp(source, 'u').test(value))
    }),
    { numRuns: 3_000 },
  )
})
