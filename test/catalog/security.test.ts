import { describe, expect, test } from 'vitest'
import { compileGroups, problemsOf, type TestGroup } from './compile-groups.ts'

const schemes = {
  key: 'cloud-api-key',
  token: 'sts-access-token',
  partner: 'partner-access-token',
  legacy: 'ignore',
} as const

function group(declared: object, rules: Partial<TestGroup> = {}): TestGroup {
  const document = { openapi: '3.1.0', paths: { '/a': { get: declared } } }
  return { name: 'g', schemes, undeclaredSecurity: undefined, ...rules, document }
}

async function policyOf(declared: object, rules: Partial<TestGroup> = {}) {
  const { catalog } = await compileGroups(group(declared, rules))
  return catalog.operations[0]?.security
}

const key = { kind: 'cloud-api-key', scheme: 'key', scopes: [] }
const token = { kind: 'sts-access-token', scheme: 'token', scopes: [] }

describe('the security of an operation', () => {
  test('has alternatives, each with all that it asks for', async () => {
    expect(await policyOf({ security: [{ key: [] }, { token: [] }] })).toEqual([[key], [token]])
    expect(await policyOf({ security: [{ key: [], token: [] }] })).toEqual([[key, token]])
  })

  test('keeps scopes', async () => {
    expect(await policyOf({ security: [{ partner: ['partner:create'] }] })).toEqual([
      [{ kind: 'partner-access-token', scheme: 'partner', scopes: ['partner:create'] }],
    ])
  })

  test('that is an empty list, or has an empty alternative, lets in callers without credentials', async () => {
    expect(await policyOf({ security: [] })).toEqual([[]])
    expect(await policyOf({ security: [{}, { key: [] }] })).toEqual([[], [key]])
  })

  test('is that of the document where the operation has none, and replaces it where it has', async () => {
    const document = {
      openapi: '3.1.0',
      security: [{ key: [] }],
      paths: { '/a': { get: {}, put: { security: [] }, post: { security: [{ token: [] }] } } },
    }
    const { catalog } = await compileGroups({ schemes, document })
    expect(catalog.operations.map(({ security }) => security)).toEqual([[[key]], [[]], [[token]]])
  })

  test('is without the alternatives that name an ignored scheme, also beside another', async () => {
    expect(await policyOf({ security: [{ key: [], legacy: [] }, { token: [] }] })).toEqual([
      [token],
    ])
  })

  test('can name a scheme by reference', async () => {
    const security = [{ '#/components/securitySchemes/key': [] }]
    expect(await policyOf({ security })).toMatchObject([[{ kind: 'cloud-api-key' }]])
  })

  test('that is not declared is what the group says', async () => {
    expect(await policyOf({}, { undeclaredSecurity: 'anonymous' })).toEqual([[]])
    expect(
      await policyOf({}, { undeclaredSecurity: ['cloud-api-key', 'sts-access-token'] }),
    ).toEqual([
      [{ kind: 'cloud-api-key', scheme: 'cloud-api-key', scopes: [] }],
      [{ kind: 'sts-access-token', scheme: 'sts-access-token', scopes: [] }],
    ])
  })
})

describe('a problem by the name of the operation is', () => {
  test('no declaration at all', async () => {
    expect(await problemsOf(group({}))).toEqual([
      'group "g": GET /a: it declares no security; say what opens such operations with "undeclaredSecurity" of the group',
    ])
  })

  test('a scheme without a meaning, defined or not', async () => {
    const problems = await problemsOf(group({ security: [{ other: [] }, { key: [] }] }))
    expect(problems).toEqual([
      'group "g": GET /a: its security scheme "other" has no meaning: the document does not define it and nothing maps it; map it to a credential kind, or to "ignore", under "schemes"',
    ])
    const document = {
      openapi: '3.1.0',
      components: { securitySchemes: { other: { type: 'http', scheme: 'basic' } } },
      paths: { '/a': { get: { security: [{ other: [] }] } } },
    }
    expect((await problemsOf({ ...group({}), document }))[0]).toContain(
      '"other" has no meaning: nothing maps it;',
    )
  })

  test('a scheme that is called like a property every object has', async () => {
    expect(await problemsOf(group({ security: [{ constructor: [] }] }))).toHaveLength(1)
  })

  test('alternatives that are all ignored', async () => {
    expect(await problemsOf(group({ security: [{ legacy: [] }] }))).toEqual([
      'group "g": GET /a: nothing opens it: every one of its security alternatives is ignored',
    ])
  })

  test('a declaration that is not a list of objects', async () => {
    expect(await problemsOf(group({ security: { key: [] } }))).toEqual([
      'group "g": GET /a: its "security" is not a list',
    ])
    expect(await problemsOf(group({ security: ['key'] }))).toEqual([
      'group "g": GET /a: one of its security alternatives is not an object',
    ])
  })
})

test('an alternative that no single credential satisfies is a warning', async () => {
  const { warnings } = await compileGroups(group({ security: [{ key: [], token: [] }] }))
  expect(warnings).toEqual([
    'group "g": GET /a: no single credential satisfies its security alternative cloud-api-key and sts-access-token',
  ])
})
