import { afterAll, beforeAll, expect, test } from 'vitest'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfiguration } from '../../src/config/load.ts'
import { compileGroups } from '../../src/groups.ts'
import { basic } from '../support/basic.ts'
import { writeConfiguration } from '../support/configuration.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { memberOf } from '../../src/catalog/json.ts'

const upstreamUrl = 'http://127.0.0.1:1'
const early = { 'x-lifecycle-stage': 'Early Access' }
const groups = [
  {
    name: 'things/v1',
    paths: {
      '/things': { get: {}, post: early },
      '/inside': { get: { 'x-internal': true } },
      '/gone': { get: { 'x-lifecycle-stage': 'Sunset' } },
    },
    upstreamUrl,
  },
]

let gateway: TestGateway

beforeAll(async () => {
  gateway = await startGateway({
    groups,
    configuration: {
      publicOrigin: 'https://api.example.com',
      limits: {
        classes: { standard: {} },
        unauthenticated: { requests: 1_000, windowSeconds: 60 },
      },
    },
  })
})
afterAll(() => gateway.stop())

function ask(
  path: string,
  headers: Readonly<Record<string, string>> = {},
  { port } = gateway,
): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, { headers })
}

async function operationsFor(headers: Readonly<Record<string, string>>): Promise<unknown> {
  const document: unknown = await (await ask('/openapi.json', headers)).json()
  return Object.entries(memberOf(document, 'paths') as object).map(([path, item]) => [
    path,
    Object.keys(item as object),
  ])
}

test('what a reader is shown is what he may use: by grant, and nothing internal or gone', async () => {
  const known = { authorization: gateway.key.authorization }
  expect(await operationsFor({})).toEqual([['/things', ['get']]])
  expect(await operationsFor(known)).toEqual([['/things', ['get']]])
  const { accessGrants } = gateway.directory
  const { organizationId } = gateway
  await accessGrants.create({ organizationId, name: 'things/v1' }, { id: 'test' })
  await expect.poll(() => operationsFor(known)).toEqual([['/things', ['get', 'post']]])
  expect(await operationsFor({})).toEqual([['/things', ['get']]])
  const page = await (await ask('/docs/api/things/v1', known)).text()
  expect(page).toContain('Early Access')
  expect(await (await ask('/docs/api/things/v1')).text()).not.toContain('Early Access')
})

test('a credential that opens nothing is the 401 of any operation, whichever it is', async () => {
  for (const path of ['/openapi.json', '/docs/api', '/docs/api/things/v1']) {
    const answers = await Promise.all(
      [basic('nobody', 'x'), basic(gateway.key.id, 'wrong'), 'Bearer x'].map(
        async (authorization) => {
          const response = await ask(path, { authorization })
          const { error } = (await response.json()) as { error: { code: string; message: string } }
          return [response.status, error.code, error.message]
        },
      ),
    )
    expect(new Set(answers.map((each) => JSON.stringify(each))).size).toBe(1)
    expect(answers[0]?.slice(0, 2)).toEqual([401, 'CREDENTIAL_REJECTED'])
  }
})

test('a document that the reader has is not sent again', async () => {
  const first = await ask('/openapi.json')
  const etag = first.headers.get('etag') ?? ''
  expect(etag).toMatch(/^"[\w-]{43}"$/)
  expect(first.headers.get('vary')).toBe('Authorization')
  const again = await ask('/openapi.json', { 'If-None-Match': `"other", W/${etag}` })
  expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, ''])
  expect((await ask('/openapi.json', { 'If-None-Match': '"other"' })).status).toBe(200)
})

test('pages have no script, and nothing in them may be loaded from elsewhere', async () => {
  for (const path of ['/docs/api', '/docs/api/things/v1', '/docs/style.css']) {
    const response = await ask(path)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'self'; img-src data:;/,
    )
    expect(await response.text()).not.toMatch(/<script|https?:\/\/(?!api\.example)/)
  }
  expect((await ask('/docs/api/nothing')).status).toBe(404)
})

test('readers are counted by address, known or not', async () => {
  const small = await startGateway({
    groups,
    configuration: {
      limits: { classes: { standard: {} }, unauthenticated: { requests: 2, windowSeconds: 3_600 } },
    },
  })
  try {
    const known = { authorization: small.key.authorization }
    const statuses = []
    for (const headers of [{}, known, known, {}])
      statuses.push((await ask('/openapi.json', headers, small)).status)
    expect(statuses).toEqual([200, 200, 429, 429])
  } finally {
    await small.stop()
  }
})

test.each([
  ['known', 401, 200],
  ['nobody', 404, 404],
])('documentation for %s: %i without a credential, %i with one', async (audience, none, some) => {
  const closed = await startGateway({ groups, configuration: { documentation: { audience } } })
  try {
    const headers = { authorization: closed.key.authorization }
    for (const path of ['/openapi.json', '/docs/api']) {
      expect((await ask(path, {}, closed)).status).toBe(none)
      expect((await ask(path, headers, closed)).status).toBe(some)
    }
  } finally {
    await closed.stop()
  }
})

test('a group with a path of the documentation is refused at the start', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'))
  try {
    const claiming = [{ name: 'mine/v1', paths: { '/openapi.json': { get: {} } }, upstreamUrl }]
    const file = await writeConfiguration(folder, { groups: claiming })
    await expect(compileGroups(await loadConfiguration(file, {}))).rejects.toThrow(
      "mine/v1 GET /openapi.json: the gateway's documentation has this path",
    )
    const configuration = { documentation: { audience: 'nobody' } }
    const other = await writeConfiguration(folder, { groups: claiming, configuration })
    await compileGroups(await loadConfiguration(other, {}))
  } finally {
    await rm(folder, { recursive: true })
  }
})
