import { afterAll, beforeAll, expect, test } from 'vitest'
import { call, publicOrigin } from '../../support/api.ts'
import { operations } from '../../support/api-documents.ts'
import { basic } from '../../support/basic.ts'
import { startGateway, type TestGateway } from '../../support/gateway.ts'
import { startPostgres, type TestPostgres } from '../../support/postgres.ts'

let postgres: TestPostgres
let gateway: TestGateway
beforeAll(async () => {
  postgres = await startPostgres()
  const pepper = { current: { id: 'p1', secret: 'a pepper for the tests, long enough' } }
  gateway = await startGateway({
    groups: [],
    services: ['quota'],
    configuration: {
      publicOrigin,
      directory: { url: await postgres.createDatabase(), pepper },
      limits: {
        countedResources: { clusters: { scope: 'organization', limit: 1 } },
        classes: { standard: { user: { requests: 1_000, windowSeconds: 60 } } },
      },
    },
  })
}, 60_000)
afterAll(async () => {
  await gateway.stop()
  await postgres.stop()
})

test('503 while the directory is away: for what it counts, and for a key that is not at hand', async () => {
  expect((await call(gateway, 'listServiceQuotaV1Scopes', {})).status).toBe(200)
  await postgres.stop()
  const known = { query: { scope: 'ORGANIZATION' }, path: { id: 'clusters' } }
  for (const id of ['listServiceQuotaV1AppliedQuotas', 'getServiceQuotaV1AppliedQuota'])
    expect((await call(gateway, id, known)).status, id).toBe(503)
  const authorization = basic('AAAAAAAAAAAAAAAA', 'secret')
  for (const id of [...operations.keys()].filter((each) => each.includes('ServiceQuota')))
    expect((await call(gateway, id, { ...known, authorization })).status, id).toBe(503)
})
