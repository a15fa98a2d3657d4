import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

let upstream: RecordingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await recordingUpstream()
  upstream.behave((incoming, outgoing) => {
    outgoing.setHeader('Deprecation', 'Mon, 04 Mar 2024 00:00:00 UTC')
    outgoing.setHeader('Link', '</next>; rel="next"')
    outgoing.statusCode = incoming.url === '/old?fail' ? 500 : 200
    outgoing.end('{}')
  })
  gateway = await startGateway({
    groups: [
      {
        name: 'life/v1',
        paths: {
          '/current': { get: {} },
          '/old': { get: {}, put: {} },
          '/gone': { get: {} },
        },
        retirements: [
          {
            operations: ['GET /old', 'PUT /old'],
            stage: 'deprecated',
            deprecatedAt: '2026-01-01T00:00:00Z',
            sunsetAt: '2026-12-31T23:59:59Z',
            links: { successorVersion: 'https://api.example.com/v2?from=v1#old' },
            critical: false,
          },
          {
            operations: ['GET /gone'],
            stage: 'sunset',
            deprecatedAt: '2025-01-01T00:00:00Z',
            sunsetAt: '2025-12-31T00:00:00Z',
            links: {},
            critical: false,
          },
        ],
        upstreamUrl: upstream.url,
      },
    ],
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

function call(
  path: string,
  method = 'GET',
  authorization: string = gateway.key.authorization,
): Promise<Response> {
  const body = method === 'PUT' ? '{}' : null
  return fetch(`http://127.0.0.1:${gateway.port}${path}`, {
    method,
    body,
    headers: { authorization },
  })
}

test('what is about to end works, and every answer says so, errors too', async () => {
  const answers = [
    await call('/old'),
    await call('/old', 'PUT'),
    await call('/old?fail'),
    await call('/old', 'GET', 'Basic bm9ib2R5Om5vbmU='),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 500, 401])
  for (const { headers } of answers) {
    // The upstream's own, which is no date of RFC 9745, does not stand beside ours.
    expect(headers.get('deprecation')).toBe('@1767225600')
    expect(headers.get('sunset')).toBe('Thu, 31 Dec 2026 23:59:59 GMT')
    expect(headers.get('link')).toContain(
      '<https://api.example.com/v2?from=v1#old>; rel="successor-version"',
    )
  }
  expect(answers[0]?.headers.get('link')).toContain('</next>; rel="next"')
})

test('what has ended answers 410 to those who might have called it, and reaches no service', async () => {
  const before = upstream.requests.length
  const answer = await call('/gone')
  expect(answer.status).toBe(410)
  expect(answer.headers.get('sunset')).toBe('Wed, 31 Dec 2025 00:00:00 GMT')
  expect(await answer.json()).toMatchObject({
    error: { code: 'GONE', details: 'The operation was removed on 2025-12-31.' },
  })
  expect((await fetch(`http://127.0.0.1:${gateway.port}/gone`)).status).toBe(401)
  expect(upstream.requests.length).toBe(before)
})

test('what goes on says nothing of an end, and passes what its service says', async () => {
  const { headers } = await call('/current')
  expect(headers.get('deprecation')).toBe('Mon, 04 Mar 2024 00:00:00 UTC')
  expect(headers.has('sunset')).toBe(false)
})

test('the log tells who still calls what ends', async () => {
  await call('/old')
  await call('/gone')
  await call('/current')
  const stages = gateway.log.filter(({ verdict }) => verdict !== undefined).slice(-3)
  expect(stages.map(({ path, stage }) => [path, stage])).toEqual([
    ['/old', 'deprecated'],
    ['/gone', 'sunset'],
    ['/current', undefined],
  ])
})
