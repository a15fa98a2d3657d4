import { describe, expect, test } from 'vitest'
import { isCelError } from '@bufbuild/cel'
import { createCelEvaluator } from '../../../src/auth/pools/cel.ts'
import { celClaims } from '../../../src/auth/pools/cel-claims.ts'
import { compileForIssuer } from '../../../src/auth/pools/filter-for-issuer.ts'
import { createFilterCompiler } from '../../../src/auth/pools/filter.ts'

const compile = createFilterCompiler()

const claims = {
  iss: 'https://my.issuer.example',
  sub: 'user-1',
  aud: ['orders', 'billing'],
  group: ['engineering', 'marketing'],
  level: 3,
  ratio: 1.5,
  active: true,
  none: null,
  nested: { team: { name: 'a' }, ids: [1, 2, 3] },
  constructor: 'builder',
  'https://example.com/role': 'admin',
  text: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!',
}

function matches(text: string, of: Readonly<Record<string, unknown>> = claims): boolean | string {
  const filter = compile(text)
  if (filter.kind === 'problem') return filter.reason
  const readable = celClaims(of)
  return readable === undefined ? 'claims-too-large' : filter.matches(readable)
}

test('what users write means what they expect', () => {
  const filters = {
    true: true,
    'claims.iss=="https://my.issuer.example"': true,
    'claims.aud=="orders" && claims.group!="invalid_group"': false,
    '"engineering" in claims.group || "sales" in claims.group': true,
    '"orders" in claims.aud && claims.active': true,
    'claims.group.exists(g, g.startsWith("eng"))': true,
    'claims.group.all(g, g.size() > 20)': false,
    'claims.group.exists_one(g, g == "marketing")': true,
    'claims.nested.team.name == "a"': true,
    'claims["https://example.com/role"] == "admin"': true,
    'claims.level == 3 && claims.level > 2 && claims.ratio < 2.0': true,
    'has(claims.level) && !has(claims.missing)': true,
    'claims.sub.matches("^user-[0-9]+$")': true,
    'claims.nested.ids.map(x, x * 2.0)[2] == 6.0': true,
    'size(claims.group.filter(g, g != "marketing")) == 1': true,
    'claims.sub in ["user-1", "user-2"]': true,
    'type(claims.sub) == string': true,
    'claims.active ? claims.level == 3 : false': true,
    'claims.missing == "x" || claims.active': true,
  }
  const texts = Object.keys(filters)
  expect(Object.fromEntries(texts.map((text) => [text, matches(text)]))).toEqual(filters)
})

test('only true matches: errors and other values do not', () => {
  const filters = [
    'false',
    '1',
    '"true"',
    'null',
    'claims',
    'claims.sub',
    'claims.none',
    'claims.missing',
    'claims.missing == "x"',
    'claims.missing.deeper',
    'claims.sub.deeper == "x"',
    '!claims.missing',
    'claims.missing != "x"',
    'claims.sub + 1 == "x"',
    '1 / 0 == 1',
    'claims.group[7] == "x"',
    'int("x") == 1',
    '9223372036854775807 + 1 > 0',
    'timestamp("yesterday") < timestamp("2024-01-01T00:00:00Z")',
    'claims.active && claims.missing',
    'claims.toString == "x"',
    'has(claims.toString)',
    'has(claims.__proto__)',
    'has(claims.hasOwnProperty)',
    '"constructor" in claims && claims.constructor != "builder"',
  ]
  expect(filters.filter((text) => matches(text) !== false)).toEqual([])
})

describe('a filter that cannot be held to its bounds is refused when it is written', () => {
  const refusals: Readonly<Record<string, readonly string[]>> = {
    empty: ['', ' ', '\n\t'],
    'too-long': [`claims.sub == "${'x'.repeat(4096)}"`, ' '.repeat(4096) + 'true'],
    syntax: ['claims.', '==', 'claims.sub = "x"', '"open', 'true true', "claims.sub == '", '`x`'],
    'too-deep': [
      '('.repeat(5000 / 5) + 'true' + ')'.repeat(5000 / 5),
      `${'['.repeat(40)}${']'.repeat(40)} == []`,
      `claims${'.a'.repeat(200)}`,
      'claims.a.all(x, claims.b.all(y, claims.c.all(z, x == y && y == z)))',
      `[1]${'.map(y, [y, y])'.repeat(90)} == []`,
    ],
    'too-large': [`[${'1,'.repeat(1500)}1] == []`],
    'unknown-name': [
      'sub == "x"',
      'request.path == "/"',
      'constructor == 1',
      'claims.a.exists(claims, true)',
      'google.protobuf.Timestamp{seconds: 1} == 1',
      'x.all(x, true)',
    ],
    'unknown-function': ['exec("x")', 'claims.sub.toUpperCase() == "X"', 'constructor()'],
    pattern: [
      'claims.sub.matches(claims.pattern)',
      'claims.sub.matches("a" + "b")',
      'claims.sub.matches("(")',
      'claims.sub.matches("(?=x)")',
      'claims.sub.matches("(a)\\\\1")',
      'claims.sub.matches("a{1000}b{1000}")',
      `claims.sub.matches("${'x?'.repeat(1200)}")`,
    ],
  }
  test.each(Object.entries(refusals))('%s', (reason, texts) => {
    expect(texts.map((text) => matches(text))).toEqual(texts.map(() => reason))
  })
})

test('nothing that objects inherit is a variable', () => {
  const evaluator = createCelEvaluator()
  const names = ['__proto__', 'constructor', 'toString', 'valueOf']
  const values = names.map((name) => evaluator.compile(evaluator.parse(name))({}, 1000))
  expect(values.map(isCelError)).toEqual(names.map(() => true))
})

test('what is wrong with a filter is told without quoting it', () => {
  const problems = ['secret.', 'secret', 'secret()', 'claims.a.matches(secret)'].map(compile)
  for (const problem of problems) expect(JSON.stringify(problem)).not.toContain('secret')
})

test('patterns take linear time, and no claim is a pattern', () => {
  const texts = ['^(a+)+$', '^(a|aa)+$', '^(a|a?)+$', '(.*a){12}$', '^(([a-z])+.)+[A-Z]([a-z])+$']
  expect(texts.map((text) => matches(`claims.text.matches("${text}")`))).toEqual(
    texts.map(() => false),
  )
})

test('work beyond the budget ends as a refusal, whatever the filter would say', () => {
  const many = { n: Array.from({ length: 3000 }, (_, index) => index), long: 'a'.repeat(300) }
  const filters = [
    'claims.n.all(x, claims.n.all(y, true)) || true',
    'claims.n.map(x, x).size() >= 0 || true',
    'claims.n.exists(x, false || claims.n.exists(y, false)) || true',
    'claims.n.all(x, claims.long.contains("ab") || true) || true',
    'claims.n.all(x, claims.n == [] || true)',
    'claims.n.filter(x, x in claims.n).size() >= 0',
  ]
  expect(filters.filter((text) => matches(text, many) !== false)).toEqual([])
  expect(matches('claims.n.exists(x, x == 2999.0)', { n: many.n.slice(0, 900) })).toBe(false)
  expect(matches('899.0 in claims.n', { n: many.n.slice(0, 900) })).toBe(true)
})

test('values that grow by doubling run out of budget before they run out of memory', () => {
  const doubling = (times: number, step: string, from: string): string =>
    `${from}${step.repeat(times)}.size() >= 0`
  expect(matches(doubling(10, '.map(y, y + y)', '["aaaaaaaa"]'))).toBe(true)
  expect(matches(doubling(28, '.map(y, y + y)', '["aaaaaaaa"]'))).toBe(false)
  expect(matches(`[claims]${'.map(y, [y, y])'.repeat(28)} == [1]`)).toBe(false)
})

test('claims larger than 16 KiB are not filtered', () => {
  expect(matches('true', { a: 'x'.repeat(16_000) })).toBe(true)
  expect(matches('true', { a: 'x'.repeat(16_400) })).toBe('claims-too-large')
})

describe('for an issuer that many customers share', () => {
  const issuer = 'https://accounts.google.com'
  const verdict = (text: string): string => {
    const compiled = compileForIssuer(compile, text, issuer, [issuer])
    return compiled.kind === 'problem' ? compiled.reason : 'accepted'
  }

  test('a filter that pins sub or aud is accepted', () => {
    const filters = [
      'claims.sub == "1234567890"',
      '"1234567890" == claims.sub',
      'claims.aud == "my-client.apps.googleusercontent.com"',
      'claims["aud"] == "my-client"',
      'claims.sub in ["1", "2"]',
      '"my-client" in claims.aud',
      'claims.aud.exists(a, a == "my-client")',
      'claims.aud.exists(a, a in ["my-client"] && a != "x")',
      'claims.sub.startsWith("repo:my-org/")',
      'claims.email == "x" && claims.sub == "1"',
      '(claims.sub == "1" || claims.aud == "c") && claims.email_verified',
      'claims.hd == "x" ? claims.sub == "1" : claims.aud == "c"',
      'false',
    ]
    expect(filters.filter((text) => verdict(text) !== 'accepted')).toEqual([])
  })

  test('a filter that somebody else could match is refused', () => {
    const filters = [
      'true',
      'claims.email == "x@example.com"',
      'claims.sub != "1"',
      '!(claims.sub == "1")',
      'has(claims.sub)',
      'claims.sub == claims.sub',
      'claims.sub == ""',
      'claims.sub == claims.email',
      'claims.sub.size() > 0',
      'claims.sub.startsWith("1")',
      'claims.sub.startsWith("repo:")',
      'claims.aud.startsWith("my-client")',
      'claims.aud.endsWith(".apps.googleusercontent.com")',
      'claims.sub.matches(".*")',
      'claims.sub.contains("1")',
      'claims.sub in claims.friends',
      'claims.aud.all(a, a == "my-client")',
      'claims.aud.exists(a, true)',
      'claims.aud.exists(a, claims.email == "x")',
      'claims.groups.exists(g, g == "my-client")',
      'claims.sub == "1" || claims.email == "x"',
      'claims.sub == "1" || true',
      'claims.hd == "x" ? claims.sub == "1" : true',
      'claims.nested.sub == "1"',
      '[claims.sub == "1"].size() == 1',
      '"sub" == "sub"',
    ]
    expect(filters.filter((text) => verdict(text) !== 'unconstrained')).toEqual([])
  })

  test('for other issuers, nothing of it is asked', () => {
    expect(compileForIssuer(compile, 'true', 'https://own.example', [issuer]).kind).toBe('filter')
    const spelled = ['accounts.google.com', 'https://accounts.google.com/']
    for (const one of spelled)
      expect(compileForIssuer(compile, 'true', one, [issuer]).kind).toBe('problem')
  })
})
