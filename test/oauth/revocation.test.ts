import { describe, expect, test } from 'vitest'
import { actor, makePool } from '../directory/opening.ts'
import { basic } from '../support/basic.ts'
import { makeClient, post, useOAuth, type Answered, type Serving } from './serving.ts'

const serving = useOAuth()

type Client = { readonly id: string; readonly secret: string }

async function tokenOf({ issuer }: Serving, { id, secret }: Client): Promise<string> {
  const form = { grant_type: 'client_credentials' }
  const answer = await post(`${issuer}/oauth2/token`, form, { authorization: basic(id, secret) })
  return String(answer.body['access_token'])
}

function revoke(
  { issuer }: Serving,
  { id, secret }: Client,
  form: Record<string, string>,
): Promise<Answered> {
  return post(`${issuer}/oauth2/revoke`, form, { authorization: basic(id, secret) })
}

describe('a token that its client revokes', () => {
  test('opens nothing from then on, and its siblings live', async () => {
    const oauth = await serving()
    const client = await makeClient(oauth)
    const [token, sibling] = [await tokenOf(oauth, client), await tokenOf(oauth, client)]
    for (const hint of ['access_token', 'refresh_token', 'x', '']) {
      const answer = await revoke(oauth, client, { token, token_type_hint: hint })
      expect([answer.status, answer.text]).toEqual([200, ''])
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(await oauth.verifyOwnToken(token)).toEqual({ kind: 'refused', reason: 'revoked' })
    }
    expect(await oauth.verifyOwnToken(sibling)).toMatchObject({ kind: 'partner-identity' })
  })

  test('is in the audit once, with the client and the request', async () => {
    const oauth = await serving()
    const client = await makeClient(oauth)
    const token = await tokenOf(oauth, client)
    for (let time = 0; time < 2; time++) await revoke(oauth, client, { token })
    const events = await oauth.directory.listAuditEvents(undefined, { limit: 100 })
    const revocations = events.filter(({ action }) => action === 'token.revoked')
    expect(revocations).toMatchObject([{ actorId: client.id, requestId: 'request-2' }])
  })
})

test('a token that opens nothing counts as revoked', async () => {
  const oauth = await serving()
  const client = await makeClient(oauth)
  const expired = await tokenOf(oauth, client)
  const other = await makeClient(oauth)
  const ofDisabled = await tokenOf(oauth, other)
  await oauth.directory.partnerClients.disable(other.id, actor)
  oauth.clock.aheadMs = 3600_000
  for (const token of [expired, ofDisabled, 'x', 'a.b.c', 'é', 'x'.repeat(20_000)])
    expect((await revoke(oauth, client, { token })).status).toBe(200)
})

test('a token of somebody else stays, and the client is told', async () => {
  const oauth = await serving()
  const [client, other] = [await makeClient(oauth), await makeClient(oauth)]
  const sibling = await makeClient(oauth, { partnerId: client.partnerId })
  const { poolId, organizationId } = await makePool(oauth.directory)
  const sts = await oauth.issueToken({
    kind: 'sts',
    subject: poolId,
    audience: oauth.issuer,
    lifetimeSeconds: 600,
    claims: { organization: organizationId, subject: 'somebody' },
  })
  for (const token of [await tokenOf(oauth, other), await tokenOf(oauth, sibling), sts.token]) {
    const answer = await revoke(oauth, client, { token })
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_grant'])
    expect((await oauth.verifyOwnToken(token)).kind).not.toBe('refused')
  }
})

test('who is not authenticated revokes nothing', async () => {
  const oauth = await serving()
  const client = await makeClient(oauth)
  const token = await tokenOf(oauth, client)
  const answer = await revoke(oauth, { ...client, secret: 'wrong' }, { token })
  expect([answer.status, answer.body['error']]).toEqual([401, 'invalid_client'])
  expect(answer.headers.get('www-authenticate')).toBe('Basic realm="gatehouse"')
  const bare = await post(`${oauth.issuer}/oauth2/revoke`, { token })
  expect([bare.status, bare.headers.has('www-authenticate')]).toEqual([401, false])
  expect(await oauth.verifyOwnToken(token)).toMatchObject({ kind: 'partner-identity' })
})

test('a revocation names a token, once', async () => {
  const oauth = await serving()
  const { id, secret } = await makeClient(oauth)
  for (const form of ['', 'token=', 'token=a&token=b', 'token=a&token_type_hint=&token_type_hint='])
    expect(
      await post(`${oauth.issuer}/oauth2/revoke`, form, { authorization: basic(id, secret) }),
    ).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
})
