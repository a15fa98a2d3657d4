import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'updateGatehouseV1LimitOverride'
const api = useGovernance()

async function override(limit_name: string) {
  const body = { organization: { id: api.stranger.organizationId }, limit_name, limit: 5 }
  return { id: (await api.call('createGatehouseV1LimitOverride', { body })).body.id }
}

test('200 changes the limit, which holds at once', async () => {
  const path = await override('a')
  const changed = await api.call(operation, { path, body: { limit: 8 } })
  expect(changed.status).toBe(200)
  expect(changed.body).toMatchObject({ id: path.id, limit_name: 'a', limit: 8 })
  const find = api.gateway.directory.limitOverrideFinder()
  expect(find(api.stranger.organizationId, undefined, 'a')).toBe(8)
})

test('422 is for another limit than it is of, and for what is no limit', async () => {
  const path = await override('b')
  expect((await api.call(operation, { path, body: { limit_name: 'c' } })).status).toBe(422)
  expect((await api.call(operation, { path, body: { limit: 0 } })).status).toBe(422)
})

test('404 is for an id that none has', async () => {
  const path = { id: 'override-none' }
  expect((await api.call(operation, { path, body: { limit: 1 } })).status).toBe(404)
})

test('403 is for the administrator of a customer, and the limit stays', async () => {
  const path = await override('d')
  const { authorization, organizationId } = api.stranger
  const body = { limit: 1_000_000 }
  expect((await api.call(operation, { path, body, authorization })).status).toBe(403)
  expect(api.gateway.directory.limitOverrideFinder()(organizationId, undefined, 'd')).toBe(5)
})

test('of two callers who change one version one wins, and the other is told', async () => {
  const path = await override('e')
  const read = await api.call('getGatehouseV1LimitOverride', { path })
  const headers = { 'if-match': read.headers.get('etag') ?? '' }
  const answers = await Promise.all(
    [6, 7, 8].map((limit) => api.call(operation, { path, body: { limit }, headers })),
  )
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412])
  const winner = answers.find(({ status }) => status === 200)
  const after = await api.call('getGatehouseV1LimitOverride', { path })
  expect(after.body).toEqual(winner?.body)
  expect(after.headers.get('etag')).toBe(winner?.headers.get('etag'))
})
