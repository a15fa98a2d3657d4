import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { call, publicOrigin } from '../../support/api.ts'
import { basic } from '../../support/basic.ts'
import { operations } from '../../support/api-documents.ts'
import { startGateway, type TestGateway } from '../../support/gateway.ts'
import { useGovernance } from '../../support/governance.ts'
import { startPostgres, type TestPostgres } from '../../support/postgres.ts'

const ids = [...operations.keys()].filter((id) => id.includes('GatehouseV1'))
const bodies: Readonly<Record<string, string>> = { POST: '{}', PATCH: '{}' }

function requestOf(id: string): { readonly body?: string } {
  const body = bodies[operations.get(id)?.method ?? '']
  return body === undefined ? {} : { body }
}

describe('with room for every request', () => {
  const api = useGovernance()

  test.each(ids)('401 is for who shows no credentials, or wrong ones: %s', async (id) => {
    const request = requestOf(id)
    const none = await api.call(id, { ...request, authorization: undefined })
    expect(none.status).toBe(401)
    const authorization = 'Basic dW5rbm93bjp1bmtub3du'
    expect((await api.call(id, { ...request, authorization })).status).toBe(401)
  })

  test.each(ids)('403 is for an operator’s principal without a role: %s', async (id) => {
    const { directory, organizationId } = api.gateway

    const actor = { id: 'test' }
    const account = { organizationId, displayName: `without ${id}` }
    const { id: ownerId } = await directory.principals.createServiceAccount(account, actor)
    const key = await directory.apiKeys.create({ ownerId, resource: { kind: 'cloud' } }, actor)
    const authorization = basic(key.id, key.secret)
    expect((await api.call(id, { ...requestOf(id), authorization })).status).toBe(403)
  })

  test.each(ids.filter((id) => operations.get(id)?.responses['413'] !== undefined))(
    '413 is for a body that is too large: %s',
    async (id) => {
      const body = JSON.stringify({ display_name: 'x'.repeat(70_000) })
      expect((await api.call(id, { body })).status).toBe(413)
    },
  )

  test.each(ids.filter((id) => operations.get(id)?.responses['415'] !== undefined))(
    '400 and 415 are for a body that cannot be read: %s',
    async (id) => {
      const partner = await api.call('createGatehouseV1Partner', { body: { display_name: 'P' } })
      const path = { partner_id: partner.body.id }
      expect((await api.call(id, { path, body: '{' })).status).toBe(400)
      const headers = { 'content-type': 'text/plain' }
      expect((await api.call(id, { path, body: '{}', headers })).status).toBe(415)
    },
  )
})

describe('with room for one request in an hour', () => {
  const api = useGovernance({ user: { requests: 1, windowSeconds: 3600 } })

  test.each(ids)('429 says when to try again: %s', async (id) => {
    await api.call('listGatehouseV1AuditEvents')
    expect((await api.call(id, requestOf(id))).status).toBe(429)
  })
})

describe('without a directory', () => {
  let postgres: TestPostgres
  let gateway: TestGateway
  beforeAll(async () => {
    postgres = await startPostgres()
    const pepper = { current: { id: 'p1', secret: 'a pepper for the tests, long enough' } }
    const directory = { url: await postgres.createDatabase(), pepper }
    gateway = await startGateway({
      groups: [],
      services: ['gatehouse'],
      configuration: { publicOrigin, directory },
      limits: { user: { requests: 1000, windowSeconds: 60 } },
    })
  }, 60_000)
  afterAll(async () => {
    await gateway.stop()
    await postgres.stop()
  })

  test('503 is for whatever asks the directory', async () => {
    // The credential and its roles are at hand from then on.
    expect((await call(gateway, 'listGatehouseV1AuditEvents', {})).status).toBe(200)
    await postgres.stop()
    // What can be no id is not looked for.
    const pathOf = (id: string) => ({
      id: id.includes('Organization') ? gateway.organizationId : '1',
    })
    const answers = ids.map(async (id) => ({
      id,
      ...(await call(gateway, id, { ...requestOf(id), path: pathOf(id) })),
    }))
    for (const { id, status } of await Promise.all(answers)) {
      // A body is looked at before the directory is asked, and `{}` is not enough for all.
      expect(
        bodies[operations.get(id)?.method ?? ''] === undefined ? [503] : [503, 422],
        id,
      ).toContain(status)
    }
  })
})
