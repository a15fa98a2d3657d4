import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { useApi } from '../../support/api.ts'
import { basic } from '../../support/basic.ts'
import { administrator, make, newPlace } from '../support/collection.ts'
import { identityPools, roleBindings, serviceAccounts } from '../support/collections.ts'
import { describeCreate, describeTwin } from '../support/create.ts'
import { crnOf } from '../support/crn-of.ts'

const operation = 'createIamV2RoleBinding'
const api = useApi()

describeTwin(api, roleBindings)
describeCreate(api, roleBindings, {
  address: () => '/iam/v2/role-bindings',
  name: () => 'role-binding',
  refused: [
    [{}, '/principal', '/role_name', '/crn_pattern'],
    [
      { principal: 'User:u-1', role_name: 'Emperor', crn_pattern: 'crn://x' },
      '/role_name',
      '/crn_pattern',
    ],
    [
      { principal: 'u-1', role_name: 'OrganizationAdmin', crn_pattern: 'crn://a/b=c' },
      '/principal',
    ],
    [
      { principal: 'User:u-1', role_name: 'toString', crn_pattern: 'crn://a/*/b=c' },
      '/role_name',
      '/crn_pattern',
    ],
  ],
})

test('201 gives the principal what the role allows, at once, and the end of it takes it away', async () => {
  const account = await make(api, serviceAccounts, await newPlace(api, serviceAccounts))
  const spec = { owner: { id: account.id } }
  const key = await api.call('createIamV2ApiKey', { body: { spec } })
  const { secret } = key.body['spec'] as { secret: string }
  const authorization = basic(key.body.id, secret)
  const statusOf = async () => (await api.call('listIamV2Users', { authorization })).status
  expect(await statusOf()).toBe(403)
  const crn_pattern = crnOf(api.gateway.organizationId)
  const body = { principal: `User:${account.id}`, role_name: 'OrganizationAdmin', crn_pattern }
  const made = await api.call(operation, { body })
  expect(made.status).toBe(201)
  expect(await statusOf()).toBe(200)
  await api.call('deleteIamV2RoleBinding', { path: { id: made.body.id } })
  expect(await statusOf()).toBe(403)
})

test('201 binds an identity pool of the organization', async () => {
  const pool = await make(api, identityPools, await newPlace(api, identityPools))
  const body = { ...roleBindings.body('*', administrator(api)), principal: `User:${pool.id}` }
  const made = await api.call(operation, { body })
  expect(made.body).toMatchObject(body)
})

test('422 is the same for a principal of another organization and for none', async () => {
  const pool = await make(api, identityPools, await newPlace(api, identityPools, api.stranger))
  const nobody = [api.stranger.userId, pool.id, 'u-none', 'pool-none', 'group-1', '*', '']
  for (const id of nobody) {
    const body = { ...roleBindings.body('a', administrator(api)), principal: `User:${id}` }
    const { status, body: answer } = await api.call(operation, { body })
    expect(status).toBe(422)
    expect(answer.error.fields).toEqual([{ pointer: '/principal', message: 'Does not exist' }])
  }
})

test('422 refuses a pattern that reaches out of the organization', async () => {
  const own = crnOf(api.gateway.organizationId)
  for (const crn_pattern of [
    crnOf(api.stranger.organizationId),
    'crn://confluent.cloud/*',
    'crn://confluent.cloud/organization=*',
    `${own}*`,
    `${own.slice(0, -1)}*`,
    own.replace('confluent.cloud', 'elsewhere.example'),
    own.replace('cloud/', 'cloud//'),
    `${own}/environment=${'x'.repeat(2_000)}`,
    `${own}/environment=a*b`,
  ]) {
    const body = { ...roleBindings.body(randomUUID(), administrator(api)), crn_pattern }
    const answer = await api.call(operation, { body })
    expect(answer.status, crn_pattern).toBe(422)
    expect(answer.body.error.fields).toEqual([expect.objectContaining({ pointer: '/crn_pattern' })])
  }
})
