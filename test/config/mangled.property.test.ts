import { resolve } from 'node:path'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { read, smallest } from './written.ts'

// No name: a mistyped key is told by its name, but only where it looks like one.
const secret = 'canary 4711!'
const environment = { SECRET: secret, QUOTED: `"${secret}`, ALIAS: `*${secret}`, PORT: '8080' }
const files = { secret }

/** Every problem has a place in the file, and none holds the secret. */
function expectTold(problems: readonly string[]): void {
  for (const problem of problems) expect(problem).toMatch(/^gateway\.yaml:[1-9]\d*:[1-9]\d* \S/)
  expect(problems.join('\n')).not.toContain('canary')
}

const key = fc.constantFrom(
  ...['listen', 'public', 'admin', 'host', 'port', 'directory', 'url', 'pepper', 'current', 'id'],
  ...['secret', 'previous', 'redis', 'keyPrefix', 'limits', 'classes', 'standard', 'user', 'name'],
  ...['requests', 'windowSeconds', 'apiGroups', 'upstream', 'urls', 'hosts', 'resource', 'path'],
  ...['limitClass', 'document', 'schemes', 'demo', 'log', 'level', 'transport', 'trustedProxies'],
  ...['__proto__', 'constructor', 'toString', '', '0', '<<', `x ${secret}`],
)
const leaf = fc.oneof(
  fc.constantFrom('${SECRET}', 'a${SECRET}', '${QUOTED}', '${ALIAS}', '${PORT}', '${', '${X:-1}'),
  fc.constantFrom(
    'file:secret',
    'file:${SECRET}',
    'file:nowhere',
    'file:\0',
    secret,
    `redis://${secret}`,
  ),
  fc.constantFrom(0, 8_080, -1, 1e300, 1.5, true, null, '', 'http://h', 'demo/v1', 'info'),
)
const { anything } = fc.letrec((tie) => ({
  anything: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    leaf,
    fc.dictionary(key, tie('anything'), { maxKeys: 5 }),
    fc.array(tie('anything'), { maxLength: 3 }),
  ),
}))

test('whatever stands wherever in a configuration, it is read or its mistakes are told', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, anything, { maxKeys: 6 }), async (members) => {
      const outcome = await read({ ...smallest, ...members }, { environment, files })
      if ('problems' in outcome) expectTold(outcome.problems)
    }),
    { numRuns: 400 },
  )
})

test('a configuration in which any value is replaced by any other is read or its mistakes are told', async () => {
  const shipped = readFileSync(resolve(import.meta.dirname, '../../config/gateway.yaml'), 'utf8')
  const values = [...shipped.matchAll(/(?<=: )[^\s{[].*?(?=[,\s}\]]|$)/gm)]
  expect(values.length).toBeGreaterThan(20)
  await fc.assert(
    fc.asyncProperty(fc.nat(values.length - 1), anything, async (index, value) => {
      const match = values[index]
      if (match === undefined) return
      const rest = shipped.slice(match.index + match[0].length)
      const text = `${shipped.slice(0, match.index)}${JSON.stringify(value)}${rest}`
      const outcome = await read(text, { environment, files })
      if ('problems' in outcome) expectTold(outcome.problems)
    }),
    { numRuns: 300 },
  )
})

const piece = fc.oneof(
  fc.constantFrom('a', ' ', '  ', '\n', '\n  ', '\t', '- ', ': ', ':', '?', ',', '#', '&a ', '*a'),
  fc.constantFrom('{', '}', '[', ']', '"', "'", '\\', '|', '>', '%', '@', '`', '!', '!<', '---\n'),
  fc.constantFrom(secret, '${SECRET}', 'redis', 'url', '"url": ', '<<: ', '!!str ', '\uFEFF', '\0'),
)

test('bytes that are hardly YAML are told as such, and a secret among them is not quoted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
      const outcome = await read(pieces.join(''), { environment, files })
      if ('problems' in outcome) expectTold(outcome.problems)
    }),
    { numRuns: 1_000 },
  )
})
