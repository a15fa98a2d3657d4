import { describe, expect, test } from 'vitest'
import { configurationOf, problemsOf, smallest } from './written.ts'

const rest = JSON.stringify(smallest).slice(1)

/** A configuration whose first lines are these. */
function begins(lines: string): string {
  return `${lines}\n${Object.entries(smallest)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    .join('\n')}\n`
}

describe('YAML that two readers may disagree about is refused', () => {
  test.each([
    ['a key twice', begins('log: {}\nlog: {}'), '2:1 Map keys must be unique'],
    ['a key twice, once quoted', `{"log": {}, log: {}, ${rest}`, '1:13 Map keys must be unique'],
    ['a tag', begins('publicOrigin: !!str x'), '1:21 Tags are not allowed'],
    ['a tag of its own', begins('publicOrigin: !env X'), '1:15 Tags are not allowed'],
    ['a tag on a map', begins('log: !!map {}'), '1:12 Tags are not allowed'],
    ['a merge key', begins('log: &l {}\nredis: { <<: *l }'), '2:10 Merge keys are not allowed'],
    ['a key that is a map', begins('? { a: 1 }\n: 1'), '1:3 A key must be a name'],
    ['a key that is empty', begins('"": 1'), '1:1 A key must be a name'],
    ['an alias without an anchor', begins('log: *nowhere'), '1:6 The alias names no anchor'],
    [
      'an alias before its anchor',
      begins('log: *l\nredis: &l {}'),
      '1:6 The alias names no anchor',
    ],
    ['a second document', `${begins('')}---\n{}\n`, '4:1 A configuration is one document'],
    ['a tab for indentation', begins('log:\n\tlevel: info'), '2:1 Tabs are not allowed as'],
    ['a control directive', `%SECRET x\n---\n${begins('')}`, '1:1 The directive'],
  ])('%s', async (_, text, problem) => {
    const problems = await problemsOf(text)
    expect(problems[0]).toContain(`gateway.yaml:${problem}`)
  })

  test('but words that older readers take for flags are words', async () => {
    const { redis } = await configurationOf(begins('redis: { keyPrefix: no }'))
    expect(redis.keyPrefix).toBe('no')
  })
})

test.each(['__proto__', 'constructor', 'prototype'])(
  'a key %s is refused wherever it stands, and reaches no prototype',
  async (key) => {
    const texts = [
      `{"${key}": {"polluted": 1}, ${rest}`,
      begins(`log: { ${key}: { polluted: 1 } }`),
      begins(`redis: { "${key}": 1 }`),
    ]
    for (const text of texts) {
      const problems = await problemsOf(text)
      expect(problems.join('\n')).toContain(`The key ${key} is not allowed`)
    }
    const limits = { classes: JSON.parse(`{"standard": {}, "${key}": {}}`) as object }
    expect(await problemsOf({ ...smallest, limits })).toHaveLength(1)
    expect('polluted' in {}).toBe(false)
  },
)

test('aliases that multiply are refused before they are expanded', async () => {
  const levels = Array.from({ length: 20 }, (_, level) => {
    const inner = level === 0 ? '1' : `*a${level - 1}`
    return `  - &a${level} [${Array.from({ length: 9 }, () => inner).join(', ')}]`
  })
  expect(await problemsOf(begins(`bomb:\n${levels.join('\n')}`))).toEqual([
    'gateway.yaml:1:1 The aliases expand to too much',
  ])
})

test('an alias that holds itself is refused', async () => {
  expect(await problemsOf(begins('log: &l { level: *l }'))).not.toEqual([])
})

test('an alias may stand for a value once more', async () => {
  const { limits } = await configurationOf(
    `limits:
  classes:
    standard: { user: &few { concurrent: 3 } }
    other: { user: *few }
apiGroups: ${JSON.stringify(smallest.apiGroups)}
`,
  )
  expect(limits.classes['other']?.user.concurrent).toBe(3)
})

test.each([
  ['lists', '['],
  ['maps', '{a: '],
  ['block lists', '- '],
])('%s a hundred thousand deep are a problem, and end nothing', async (_, open) => {
  expect(await problemsOf(open.repeat(100_000))).not.toEqual([])
  const problems = await problemsOf(begins(`log: ${'['.repeat(60)}${']'.repeat(60)}`))
  expect(problems).toEqual([expect.stringMatching(/^gateway\.yaml:1:\d+ The nesting is too deep$/)])
})

describe('what YAML stumbles over is told without quoting it', () => {
  const secret = 'canary4711'
  test.each([
    ['a colon within', `redis: { url: redis://x: ${secret} }: ${secret}`],
    ['an unended quote', `redis: { url: "${secret} }`],
    ['an escape', `redis: { url: "\\u${secret}" }`],
    ['an unknown escape', `redis: { url: "\\${secret}" }`],
    ['a tag', `redis: { url: !${secret} }`],
    ['a tag with a handle', `redis: { url: !${secret}! }`],
    ['a tag with a handle and a suffix', `redis: { url: !${secret}!x }`],
    ['a verbatim tag', `redis: { url: !<!${secret}> x }`],
    ['a verbatim tag without an end', `redis: { url: !<${secret} x }`],
    ['an alias', `redis: { url: *${secret} }`],
    ['a percent sign', `%${secret} x\n---`],
    ['a version', `%YAML ${secret}\n---`],
    ['a block', `redis: { url: |${secret} }`],
    ['a block in a line', `redis:\n  url: |${secret}\n`],
    ['a reserved character', `redis: { url: \`${secret} }`],
    ['a second value', `redis:\n  url: 'a' ${secret}\n`],
    ['a line that is not indented', `redis:\n  url: x\n ${secret}`],
    ['a comment without a space', `redis:\n  url: 'a'#${secret}`],
    ['a key', `redis: { "${secret} !": 1 }`],
  ])('%s', async (_, lines) => {
    const problems = await problemsOf(begins(lines))
    expect(problems).not.toEqual([])
    expect(problems.join('\n')).not.toContain(secret.slice(0, 6))
  })
})
