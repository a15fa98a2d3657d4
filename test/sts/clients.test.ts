import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { beforeEach, expect, test } from 'vitest'
import { GatewayError } from '../../src/errors/gateway-error.ts'
import { mint } from '../auth/tokens/minting.ts'
import { exchangePath, fields, ownIssuer, providerKey, startSts } from './serving.ts'

let sts: ReturnType<typeof startSts>
beforeEach(() => {
  sts = startSts()
})

const server = { issuer: ownIssuer, token_endpoint: `${ownIssuer}${exchangePath}` }
const { grant_type, ...parameters } = fields
const good = { ...parameters, subject_token: mint(providerKey) }
const bad = { ...parameters, subject_token: 'not a token' }

/** The client's fetch, with the service instead of a network. */
function callService(url: string, options: RequestInit): Promise<Response> {
  return sts.call(new Request(url, options))
}

async function byOauth4webapi(sent: Record<string, string>) {
  const as: oauth.AuthorizationServer = server
  const who: oauth.Client = { client_id: 'anything' }
  const answer = await oauth.genericTokenEndpointRequest(as, who, oauth.None(), grant_type, sent, {
    [oauth.customFetch]: (url, options) => callService(url, options),
  })
  return oauth.processGenericTokenEndpointResponse(as, who, answer)
}

function byOpenidClient(sent: Record<string, string>) {
  const configuration = new client.Configuration(server, 'anything', undefined, client.None())
  configuration[client.customFetch] = (url, options) => callService(url, options as RequestInit)
  return client.genericGrantRequest(configuration, grant_type, sent)
}

test.each([
  ['oauth4webapi', byOauth4webapi],
  ['openid-client', byOpenidClient],
])('%s reads the token, and the error where there is none', async (_name, exchange) => {
  const answer = await exchange(good)
  expect(answer).toMatchObject({ token_type: 'bearer', expires_in: 600 })
  expect(await sts.verifyOwn(answer.access_token)).toMatchObject({ kind: 'sts-identity' })
  await expect(exchange(bad)).rejects.toMatchObject({
    status: 400,
    error: 'invalid_grant',
    error_description: expect.stringMatching(/subject token/) as string,
  })
  // Neither of them reads the body of a 503: what they give their callers is the status.
  sts.world.findProviders = () => Promise.reject(new GatewayError('DIRECTORY_UNAVAILABLE'))
  await expect(exchange(good)).rejects.toMatchObject({ cause: { status: 503 } })
})
