import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAssertionVerifier } from '../../examples/upstream/verify-assertion.ts'
import { basic } from '../support/basic.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

const publicOrigin = 'https://api.test'
const actor = { id: 'test' }

let upstream: RecordingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await recordingUpstream()
  upstream.behave((_incoming, outgoing) => {
    outgoing.end('{}')
  })
  const paths = { '/things': { get: {} } }
  gateway = await startGateway({
    groups: [
      {
        name: 'orders',
        paths,
        upstreamUrl: upstream.url,
        upstream: { assertionAudience: 'orders' },
      },
      { name: 'plain', mount: '/plain', paths, upstreamUrl: upstream.url },
    ],
    services: ['oauth'],
    configuration: { publicOrigin },
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

/** The assertions that the upstream received, of one call. */
async function assertionsOf(path: string, authorization: string): Promise<readonly string[]> {
  const headers = { authorization, 'Gatehouse-Assertion': 'forged', Gatehouse_Assertion: 'forged' }
  const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, { headers })
  expect(response.status).toBe(200)
  const { rawHeaders = [] } = upstream.requests.at(-1) ?? {}
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 && name.replaceAll('_', '-').toLowerCase() === 'gatehouse-assertion'
      ? (rawHeaders[index + 1] ?? [])
      : [],
  )
}

function verifierFor(audience: string, issuer = publicOrigin) {
  const keySet = `http://127.0.0.1:${gateway.port}/oauth2/jwks.json`
  return createAssertionVerifier(issuer, audience, keySet)
}

test('the upstream that wants it gets one assertion, ours, that the example verifies', async () => {
  const [assertion, ...others] = await assertionsOf('/things', gateway.key.authorization)
  expect(others).toEqual([])
  expect(await verifierFor('orders')(assertion)).toEqual({
    principalId: gateway.userId,
    principalKind: 'user',
    credentialKind: 'cloud-api-key',
    organizationId: gateway.organizationId,
  })
  await expect(verifierFor('other')(assertion)).rejects.toThrow('aud')
  await expect(verifierFor('orders', 'https://other.test')(assertion)).rejects.toThrow('iss')
  await expect(verifierFor('orders')(undefined)).rejects.toThrow('Invalid')
})

test('any other upstream gets none, and never what a caller sent', async () => {
  expect(await assertionsOf('/plain/things', gateway.key.authorization)).toEqual([])
})

test('one principal is signed for once, and each has its own', async () => {
  const { principals, apiKeys } = gateway.directory
  const { organizationId } = gateway
  const other = await principals.createUser(
    { organizationId, email: 'other@example.com', displayName: 'Other' },
    actor,
  )
  const key = await apiKeys.create(
    { ownerId: other.id, displayName: 'other', resource: { kind: 'cloud' } },
    actor,
  )
  const first = await assertionsOf('/things', gateway.key.authorization)
  const second = await assertionsOf('/things', gateway.key.authorization)
  const others = await assertionsOf('/things', basic(key.id, key.secret))
  expect(second).toEqual(first)
  expect(others).not.toEqual(first)
})

test('an assertion is no credential', async () => {
  const [assertion = ''] = await assertionsOf('/things', gateway.key.authorization)
  const headers = { authorization: `Bearer ${assertion}` }
  const response = await fetch(`http://127.0.0.1:${gateway.port}/things`, { headers })
  expect(response.status).toBe(401)
})
