import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { rawExchange, type RawResponse } from '../support/raw-client.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

let upstream: RecordingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await recordingUpstream()
  gateway = await startGateway({
    groups: [
      { name: 'things/v1', paths: { '/{any}': { get: {} } }, upstreamUrl: upstream.url },
      {
        name: 'mine/v1',
        mount: '/mine',
        authorization: 'roles',
        paths: { '/{any}': { get: { 'x-gatehouse-crn': 'organization={any}' } } },
        upstreamUrl: upstream.url,
      },
      {
        name: 'strict/v1',
        mount: '/strict',
        validateRequests: true,
        paths: {
          '/{any}': {
            get: {
              parameters: [{ name: 'any', in: 'path', required: true, schema: { enum: ['a'] } }],
            },
          },
        },
        upstreamUrl: 'http://127.0.0.1:1',
      },
      {
        name: 'dead/v1',
        mount: '/dead',
        paths: { '/{any}': { get: {}, post: {} } },
        upstreamUrl: 'http://127.0.0.1:1',
      },
    ],
    limits: { user: { requests: 1, windowSeconds: 3_600 } },
    configuration: {
      // Reachable from elsewhere, so that plain HTTP is refused unless the proxy says https.
      listen: { public: { host: '0.0.0.0', port: 0 }, admin: { port: 0 } },
      transport: { trustedProxies: ['127.0.0.1'] },
    },
  })
  // The one request of the window, so that admission refuses whatever reaches it from now on.
  expect((await exchange('GET /first', [secure, known()])).status).toBe(200)
  upstream.reset()
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

const secure = 'X-Forwarded-Proto: https'
const unknown = 'Authorization: Basic YTpi'
const unreadable = 'Authorization: Basic ?'
const twice = 'Authorization: a\r\nAuthorization: b'

function known(): string {
  return `Authorization: ${gateway.key.authorization}`
}

function exchange(line: string, fields: readonly string[]): Promise<RawResponse> {
  const head = [`${line} HTTP/1.1`, 'Host: api.test', ...fields]
  return rawExchange(gateway.port, `${head.join('\r\n')}\r\n\r\n`)
}

/** Requests with two faults each; the step that comes first is the one that answers. */
const pairs: readonly (readonly [string, string, () => readonly string[], string])[] = [
  ['ingress, HTTPS', 'GET /a/../b', () => [], 'TARGET_INVALID'],
  ['ingress, match', 'GET //nowhere', () => [secure], 'TARGET_INVALID'],
  ['ingress, authenticate', 'GET /x', () => [secure, twice], 'CREDENTIAL_MALFORMED'],
  ['HTTPS, documentation', 'GET /docs/errors', () => [], 'HTTPS_REQUIRED'],
  ['HTTPS, match', 'GET /no/where', () => [known()], 'HTTPS_REQUIRED'],
  ['HTTPS, authenticate', 'GET /x', () => [unreadable], 'HTTPS_REQUIRED'],
  ['HTTPS, admit', 'GET /x', () => [known()], 'HTTPS_REQUIRED'],
  ['match, authenticate', 'GET /no/where', () => [secure, unreadable], 'OPERATION_NOT_FOUND'],
  ['match, authenticate', 'POST /x', () => [secure, unknown], 'METHOD_NOT_ALLOWED'],
  ['match, admit', 'GET /no/where', () => [secure, known()], 'OPERATION_NOT_FOUND'],
  ['authenticate, admit', 'GET /x', () => [secure], 'AUTHENTICATION_REQUIRED'],
  ['authenticate, admit', 'GET /x', () => [secure, unknown], 'CREDENTIAL_REJECTED'],
  ['authenticate, authorize', 'GET /mine/x', () => [secure, unknown], 'CREDENTIAL_REJECTED'],
  ['authorize, admit', 'GET /mine/x', () => [secure, known()], 'ACCESS_DENIED'],
  ['authenticate, validate', 'GET /strict/x', () => [secure, unknown], 'CREDENTIAL_REJECTED'],
  ['admit, validate', 'GET /strict/x', () => [secure, known()], 'RATE_LIMIT_EXCEEDED'],
  ['authenticate, forward', 'GET /dead/x', () => [secure, unknown], 'CREDENTIAL_REJECTED'],
  ['admit, forward', 'GET /dead/x', () => [secure, known()], 'RATE_LIMIT_EXCEEDED'],
  [
    'admit, the body’s limit',
    'POST /dead/x',
    () => [secure, known(), 'Content-Length: 9007199254740991'],
    'RATE_LIMIT_EXCEEDED',
  ],
]

test.each(pairs)('%s: %s is answered by the first', async (_, line, fields, code) => {
  const response = await exchange(line, fields())
  expect(response.json()).toMatchObject({ error: { code } })
  // Observed whatever refused it.
  const requestId = response.field('X-Request-Id')
  await until(() => gateway.log.some((record) => record['requestId'] === requestId))
  expect(gateway.log.filter((record) => record['requestId'] === requestId)).toHaveLength(1)
  expect(upstream.requests).toEqual([])
})

test('documentation comes before the operations of any group', async () => {
  const response = await exchange('GET /docs/errors', [secure])
  expect([response.status, response.field('Content-Type')]).toEqual([
    200,
    'text/html; charset=utf-8',
  ])
})
