import { afterAll, beforeAll, expect, test } from 'vitest'
import { call } from '../support/api.ts'
import { operations } from '../support/api-documents.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { collections } from './support/collections.ts'

let postgres: TestPostgres
let gateway: TestGateway
beforeAll(async () => {
  postgres = await startPostgres()
  gateway = await startGateway({
    groups: [],
    services: ['iam', 'org'],
    configuration: {
      publicOrigin: 'https://api.example.com',
      directory: {
        url: await postgres.createDatabase(),
        pepper: { current: { id: 'p1', secret: 'a pepper for the tests, long enough' } },
      },
    },
    limits: { user: { requests: 100_000, windowSeconds: 60 } },
  })
}, 60_000)
afterAll(async () => {
  await gateway.stop()
  await postgres.stop()
})

test('503 and never 401, 404 or an empty list while the directory is away, for a known key', async () => {
  const { userId, organizationId, key } = gateway
  const whose = { userId, organizationId, authorization: key.authorization }
  expect((await call(gateway, 'listIamV2Users', {})).status).toBe(200)
  await postgres.stop()
  for (const { one, many, body } of collections) {
    const created = call(gateway, `create${one}`, { body: body('a', whose) })
    expect((await created).status, `create${one}`).toBe(503)
    const path = { id: 'none-1' }
    for (const id of [`list${many}`, `get${one}`, `update${one}`, `delete${one}`]) {
      const operation = operations.get(id)
      if (operation === undefined) continue
      const request = operation.bodyProblems === undefined ? { path } : { path, body: {} }
      expect((await call(gateway, id, request)).status, id).toBe(503)
    }
  }
  const path = { id: organizationId }
  for (const [id, request] of [
    ['listOrgV2Organizations', {}],
    ['getOrgV2Organization', { path }],
    ['updateOrgV2Organization', { path, body: { display_name: 'a' } }],
    ['createIamV2ApiKeySecret', { path: { id: 'none-1' }, body: {} }],
    ['retireIamV2ApiKeySecret', { path: { id: 'none-1' } }],
  ] as const)
    expect((await call(gateway, id, request)).status, id).toBe(503)
})
