import { expect, test } from 'vitest'
import { publicOrigin } from '../../support/api.ts'
import { useGovernance } from '../../support/governance.ts'

const operation = 'createGatehouseV1Explanation'
const api = useGovernance({
  user: { requests: 1000, windowSeconds: 60, concurrent: 20 },
  organization: { requests: 5000, windowSeconds: 60, window: 'sliding' },
})

test('200 says which operation it is, what opens it, and the limits of the caller', async () => {
  const body = { method: 'GET', url: '/gatehouse/v1/partners/partner-1' }
  const { status, body: answer } = await api.call(operation, { body })
  expect(status).toBe(200)
  expect(answer).toMatchObject({
    outcome: 'FOUND',
    operation: {
      operation_id: 'getGatehouseV1Partner',
      group: 'gatehouse',
      method: 'GET',
      path: '/gatehouse/v1/partners/{id}',
      stage: 'generally-available',
    },
    opened_by: [
      [{ scheme: 'cloud-api-key', kind: 'cloud-api-key', scopes: [] }],
      [{ scheme: 'confluent-sts-access-token', kind: 'sts-access-token', scopes: [] }],
    ],
    needs_grant: [],
    limits: [
      { name: 'standard.user.requests', kind: 'fixed', limit: 1000, window_seconds: 60 },
      { name: 'standard.organization.requests', kind: 'sliding', limit: 5000 },
      { name: 'standard.user.concurrent', kind: 'concurrent', limit: 20 },
    ],
  })
})

test('200 shows a limit as it is overridden for the caller, and for nobody else', async () => {
  const { authorization, organizationId } = api.stranger
  const override = { organizationId, limitName: 'standard.user.requests', limit: 7 }
  await api.gateway.directory.limitOverrides.create(override, { id: 'test' })
  const body = { method: 'GET', url: '/gatehouse/v1/partners' }
  const limitOf = async (request: object) => {
    const { limits } = (await api.call(operation, { body, ...request })).body
    return (limits as readonly { readonly limit: number }[])[0]?.limit
  }
  expect(await limitOf({ authorization })).toBe(7)
  expect(await limitOf({})).toBe(1000)
})

test('200 says what is no operation, and which methods a path has', async () => {
  const explained = async (method: string, url: string) =>
    (await api.call(operation, { body: { method, url } })).body
  expect(await explained('GET', `${publicOrigin}/nothing`)).toMatchObject({ outcome: 'NOT_FOUND' })
  expect(await explained('PUT', '/gatehouse/v1/partners')).toMatchObject({
    outcome: 'METHOD_NOT_ALLOWED',
    allow: ['GET', 'HEAD', 'POST'],
  })
})

test('400 is for a URL that the gateway would refuse, or a body that cannot be read', async () => {
  for (const url of ['ftp://x', '/a/../b', '/a//b', 'x'])
    expect((await api.call(operation, { body: { method: 'GET', url } })).status).toBe(400)
  expect((await api.call(operation, { body: '{' })).status).toBe(400)
})

test('422 lists the members that are not as they must be', async () => {
  const { status, body } = await api.call(operation, { body: { method: 'get' } })
  expect(status).toBe(422)
  expect(body.error.fields?.map(({ pointer }) => pointer)).toEqual(['/method', '/url'])
})
