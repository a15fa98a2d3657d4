import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { basic } from '../support/basic.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

const actor = { id: 'test' }

let upstream: RecordingUpstream
let gateway: TestGateway

/** What all groups serve; only who decides is not the same. */
const paths = {
  '/envs': { get: {}, post: {} },
  '/envs/{env}': { 'x-gatehouse-crn': 'environment={env}', get: {}, delete: {} },
  '/envs/{env}/topics/{topic}': {
    get: { 'x-gatehouse-crn': 'environment={env}/topic={topic}' },
  },
  '/organizations/{id}': { get: { 'x-gatehouse-crn': 'organization={id}' } },
  '/open': { get: { security: [] } },
}

beforeAll(async () => {
  upstream = await recordingUpstream()
  upstream.behave((_incoming, outgoing) => {
    outgoing.end('{}')
  })
  const upstreamUrl = upstream.url
  gateway = await startGateway({
    groups: [
      { name: 'roles/v1', mount: '/roles', authorization: 'roles', paths, upstreamUrl },
      {
        name: 'hidden/v1',
        mount: '/hidden',
        authorization: 'roles',
        hideExistence: true,
        paths,
        upstreamUrl,
      },
      { name: 'theirs/v1', mount: '/theirs', paths, upstreamUrl },
    ],
    configuration: {
      roles: {
        Viewer: { operations: [{ group: '*', methods: ['GET'] }] },
        Cleaner: { operations: [{ group: 'roles/v1', methods: ['DELETE'], path: '*/envs/*' }] },
      },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

type Caller = { readonly id: string; readonly organizationId: string; readonly key: string }

/** A service account with a key of its own, and no role. */
async function newcomer(organizationId = gateway.organizationId): Promise<Caller> {
  const { principals, apiKeys } = gateway.directory
  const displayName = `account ${Math.random()}`
  const { id } = await principals.createServiceAccount({ organizationId, displayName }, actor)
  const key = await apiKeys.create({ ownerId: id, resource: { kind: 'cloud' } }, actor)
  return { id, organizationId, key: basic(key.id, key.secret) }
}

/** Give a role on what a pattern means within the caller's organization; '' is the organization. */
async function bind(
  { id: principalId, organizationId }: Caller,
  role: string,
  pattern: string,
): Promise<string> {
  const crnPattern = `crn://confluent.cloud/organization=${organizationId}${pattern}`
  const binding = { organizationId, principalId, role, crnPattern }
  return (await gateway.directory.roleBindings.create(binding, actor)).id
}

async function codeOf(request: string, authorization: string): Promise<string> {
  const [method = '', path = ''] = request.split(' ')
  const url = `http://127.0.0.1:${gateway.port}${path}`
  const response = await fetch(url, { method, headers: { authorization } })
  if (response.ok) return 'ok'
  return ((await response.json()) as { error: { code: string } }).error.code
}

/** What each of several requests is answered. */
function codesOf(caller: Caller, ...requests: readonly string[]): Promise<readonly string[]> {
  return Promise.all(requests.map((request) => codeOf(request, caller.key)))
}

describe('where roles decide', () => {
  test('the first user may do everything, by the role that it was made with', async () => {
    for (const request of ['GET /roles/envs', 'POST /roles/envs', 'DELETE /hidden/envs/e'])
      expect(await codeOf(request, gateway.key.authorization)).toBe('ok')
  })

  test('a key that opens the operation may do what its owner may, and nothing before', async () => {
    const caller = await newcomer()
    const requests = ['GET /roles/envs/e', 'DELETE /roles/envs/e', 'GET /roles/envs'] as const
    const before = upstream.requests.length
    expect(await codesOf(caller, ...requests)).toEqual(Array(3).fill('ACCESS_DENIED'))
    expect(upstream.requests).toHaveLength(before)
    await bind(caller, 'Viewer', '/environment=e')
    expect(await codesOf(caller, ...requests)).toEqual(['ok', 'ACCESS_DENIED', 'ACCESS_DENIED'])
    await bind(caller, 'Cleaner', '/environment=*')
    expect(await codesOf(caller, ...requests)).toEqual(['ok', 'ok', 'ACCESS_DENIED'])
    await bind(caller, 'Viewer', '')
    expect(await codesOf(caller, ...requests)).toEqual(['ok', 'ok', 'ok'])
  })

  test('a binding that is deleted counts no more, for the first request after it', async () => {
    const caller = await newcomer()
    const id = await bind(caller, 'Viewer', '')
    // The notifications of its making may still be under way.
    await until(() => !(gateway.directory.findRoleBindings(caller.id) instanceof Promise))
    expect(await codeOf('GET /roles/envs', caller.key)).toBe('ok')
    await gateway.directory.roleBindings.delete(id, actor)
    expect(await codeOf('GET /roles/envs', caller.key)).toBe('ACCESS_DENIED')
  })

  test('a pattern with a star at its end means what begins so, however it is encoded', async () => {
    const caller = await newcomer()
    await bind(caller, 'Viewer', '/environment=e/topic=clicks-*')
    expect(
      await codesOf(
        caller,
        'GET /roles/envs/e/topics/clicks-1',
        'GET /roles/envs/e/topics/clicks%2D1',
        'GET /roles/envs/e/topics/clicks',
        'GET /roles/envs/f/topics/clicks-1',
        'GET /roles/envs/e%2Ftopic=clicks-1/topics/secret',
        'GET /roles/envs/e/topics/*',
        'GET /roles/envs/e',
        'GET /roles/envs/e/topics/clicks-%2F..%2Fsecret',
      ),
    ).toEqual(['ok', 'ok', ...Array<string>(5).fill('ACCESS_DENIED'), 'TARGET_INVALID'])
  })

  test('what is open to anybody asks for no role', async () => {
    const response = await fetch(`http://127.0.0.1:${gateway.port}/roles/open`)
    expect(response.status).toBe(200)
  })
})

test('who has every role in its own organization reaches no other’s objects', async () => {
  const { id: elsewhere } = await gateway.directory.organizations.create(
    { displayName: 'Elsewhere' },
    actor,
  )
  const stranger = await newcomer(elsewhere)
  await bind(stranger, 'OrganizationAdmin', '')
  await bind(stranger, 'OrganizationAdmin', '/*')
  const mine = `/organizations/${gateway.organizationId}`
  expect(
    await codesOf(stranger, `GET /roles${mine}`, `GET /hidden${mine}`, `GET /hidden${mine}%2F`),
  ).toEqual(['ACCESS_DENIED', 'RESOURCE_NOT_FOUND', 'RESOURCE_NOT_FOUND'])
  expect(await codeOf(`GET /roles/organizations/${elsewhere}`, stranger.key)).toBe('ok')
  // Of what names no organization, the caller's own is meant, and the service is told which.
  const before = upstream.requests.length
  expect(await codeOf('GET /roles/envs/e', stranger.key)).toBe('ok')
  expect(upstream.requests[before]?.headers).toMatchObject({
    'gatehouse-organization-id': elsewhere,
  })
})

describe('a group that hides what exists', () => {
  test('answers 404 to who has no role there, and 403 to who may only look', async () => {
    const caller = await newcomer()
    const requests = ['GET /hidden/envs/e', 'DELETE /hidden/envs/e', 'POST /hidden/envs'] as const
    expect(await codesOf(caller, ...requests)).toEqual([
      'RESOURCE_NOT_FOUND',
      'RESOURCE_NOT_FOUND',
      'ACCESS_DENIED',
    ])
    await bind(caller, 'Viewer', '')
    expect(await codesOf(caller, ...requests)).toEqual(['ok', 'ACCESS_DENIED', 'ACCESS_DENIED'])
  })
})

test('where the service decides, a caller without any role passes', async () => {
  const caller = await newcomer()
  expect(await codesOf(caller, 'GET /theirs/envs', 'DELETE /theirs/envs/e')).toEqual(['ok', 'ok'])
})
