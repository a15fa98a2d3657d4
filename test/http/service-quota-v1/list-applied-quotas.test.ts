import { expect, test } from 'vitest'
import { useQuotas } from '../support/quotas.ts'

const operation = 'listServiceQuotaV1AppliedQuotas'
const api = useQuotas()

test('200 shows the quotas of the organization, with defaults, names, periods and usage', async () => {
  const { organizationId, directory } = api.gateway
  const clusters = { organizationId, principalId: undefined, quota: 'clusters' }
  await directory.resourceCounts.count(clusters, 'c1', 1)
  const { status, body } = await api.call(operation, { query: { scope: 'ORGANIZATION' } })
  expect(status).toBe(200)
  expect(body.data).toMatchObject([
    { id: 'calls', display_name: 'Calls', default_limit: 1_000_000, period: 'MONTH' },
    { id: 'clusters', display_name: 'Clusters', default_limit: 20, applied_limit: 20, usage: 1 },
  ])
  for (const quota of body.data)
    expect(quota).toMatchObject({
      scope: 'ORGANIZATION',
      organization: { id: organizationId },
      metadata: {
        resource_name: `crn://confluent.cloud/organization=${organizationId}/applied-quota=${quota.id}`,
      },
    })
  const [calls] = body.data
  const [later] = (await api.call(operation, { query: { scope: 'ORGANIZATION' } })).body.data
  // The request that asks is counted before it is answered.
  expect(later?.['usage']).toBe(Number(calls?.['usage']) + 1)
})

test('200 shows what the caller itself has used, and nobody else’s', async () => {
  const { organizationId, userId, directory } = api.gateway
  const drafts = { organizationId, principalId: userId, quota: 'drafts' }
  await directory.resourceCounts.count(drafts, 'd1', 1)
  const query = { scope: 'USER_ACCOUNT' }
  const mine = await api.call(operation, { query })
  expect(mine.body.data).toMatchObject([
    { id: 'drafts', display_name: 'drafts', usage: 1, user: { id: userId } },
    { id: 'mine', period: 'DAY', user: { id: userId } },
  ])
  const { authorization, organizationId: other } = api.stranger
  const theirs = await api.call(operation, { query, authorization })
  expect(theirs.body.data).toMatchObject([
    { id: 'drafts', usage: 0, organization: { id: other } },
    { id: 'mine', usage: 1 },
  ])
})

test('200 shows what an override allows beside the default', async () => {
  const { organizationId, directory } = api.gateway
  for (const [limitName, limit] of [
    ['clusters', 50],
    ['calls', 7_000_000],
  ] as const)
    await directory.limitOverrides.create({ organizationId, limitName, limit }, { id: 'test' })
  const { body } = await api.call(operation, { query: { scope: 'ORGANIZATION' } })
  expect(body.data).toMatchObject([
    { id: 'calls', default_limit: 1_000_000, applied_limit: 7_000_000 },
    { id: 'clusters', default_limit: 20, applied_limit: 50 },
  ])
})

test('200 goes page by page, and its links keep the filters', async () => {
  const query = { scope: 'ORGANIZATION', page_size: '1' }
  const first = await api.call(operation, { query })
  expect(first.body.metadata).toMatchObject({ total_size: 2 })
  const second = await api.follow(operation, first.body.metadata['next'])
  expect([...first.body.data, ...second.body.data].map(({ id }) => id)).toEqual([
    'calls',
    'clusters',
  ])
  expect(second.body.metadata).not.toHaveProperty('next')
  const last = await api.follow(operation, first.body.metadata['last'])
  expect(last.body.data.map(({ id }) => id)).toEqual(['clusters'])
})

test.each([
  { scope: 'ENVIRONMENT' },
  { scope: 'ORGANIZATION', environment: 'env-1' },
  { scope: 'ORGANIZATION', network: 'n-1' },
  { scope: 'ORGANIZATION', kafka_cluster: 'lkc-1' },
  { scope: 'ORGANIZATION', id: 'drafts' },
])('200 is an empty list where no quota is of what is asked for: %j', async (query) => {
  const { status, body } = await api.call(operation, { query })
  expect(status).toBe(200)
  expect(body).toMatchObject({ data: [], metadata: { total_size: 0 } })
})

test('200 shows one alone by its id', async () => {
  const { body } = await api.call(operation, { query: { scope: 'USER_ACCOUNT', id: 'drafts' } })
  expect(body.data.map(({ id }) => id)).toEqual(['drafts'])
})

test.each([{}, { scope: '' }, { scope: 'organization' }])(
  '400 says that a scope is needed, and which there are: %j',
  async (query) => {
    const { status, body } = await api.call(operation, { query })
    expect(status).toBe(400)
    expect(body.error.fields).toMatchObject([{ parameter: 'scope' }])
  },
)

test('400 refuses a page of another list', async () => {
  const { body } = await api.call(operation, { query: { scope: 'ORGANIZATION', page_size: '1' } })
  const link = new URL(body.metadata['next'] ?? '')
  const page_token = link.searchParams.get('page_token') ?? ''
  expect((await api.call(operation, { query: { scope: 'USER_ACCOUNT', page_token } })).status).toBe(
    400,
  )
})
