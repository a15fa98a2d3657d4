import { afterAll, beforeAll, expect, it } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

let upstream: RecordingUpstream
let gateway: TestGateway

const quotas = {
  'monthly-calls': { scope: 'organization', limit: 10, period: 'month', warnAtPercent: [50, 90] },
}
const classes = {
  calls: { quotas: ['monthly-calls'] },
  rated: {
    user: { requests: 2, windowSeconds: 60 },
    organization: { requests: 50, windowSeconds: 60 },
  },
  shadowed: { user: { requests: 1, windowSeconds: 60, mode: 'shadow' } },
  weighed: {
    user: { requests: 100, windowSeconds: 60, window: 'sliding' },
    operations: [
      { name: 'writes', methods: ['POST'], cost: 10, user: { requests: 20, windowSeconds: 60 } },
      { name: 'exports', operations: ['exportThings'], cost: 50 },
    ],
  },
}

beforeAll(async () => {
  upstream = await recordingUpstream()
  gateway = await startGateway({
    groups: [...Object.keys(classes), 'kafka'].map((name) => ({
      name,
      mount: `/${name}`,
      upstreamUrl: upstream.url,
      limitClass: name === 'kafka' ? 'rated' : name,
      ...(name === 'kafka' ? { errorProfile: 'kafka-rest' } : {}),
      paths: {
        '/things': { get: {}, post: {} },
        '/export': { get: { operationId: 'exportThings' } },
      },
    })),
    configuration: { limits: { rateLimitFields: true, quotas, classes } },
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

function ask(path: string, method = 'GET'): Promise<Response> {
  const headers = { authorization: gateway.key.authorization }
  return fetch(`http://127.0.0.1:${gateway.port}${path}`, { method, headers })
}

/** The limit fields of an answer, whatever time is left. */
function fieldsOf({ headers }: Response): Record<string, string | null> {
  const names = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'ratelimit', 'ratelimit-policy']
  return Object.fromEntries(
    names.map((name) => [name, headers.get(name)?.replace(/;t=\d+/, '') ?? null]),
  )
}

it('402 names the quota, its limit and when it renews', async () => {
  for (let i = 0; i < 10; i++) expect((await ask('/calls/things')).status).toBe(200)
  const refused = await ask('/calls/things')
  expect(refused.status).toBe(402)
  expect(refused.headers.get('x-ratelimit-limit')).toBe('10')
  expect(refused.headers.get('x-ratelimit-remaining')).toBe('0')
  expect(refused.headers.get('retry-after')).toBe(refused.headers.get('x-ratelimit-reset'))
  const { error } = (await refused.json()) as { error: { code: string; details: string } }
  expect(error.code).toBe('QUOTA_EXCEEDED')
  const [year, month] = new Date().toISOString().split('-').map(Number)
  const renewal = new Date(Date.UTC(year ?? 0, month ?? 0)).toISOString().replace('.000', '')
  expect(error.details).toBe(
    `The quota monthly-calls allows the organization 10 in each month, of which 0 are left; it renews at ${renewal}.`,
  )
})

it('the log says once for each part that a quota is used up to it', async () => {
  for (let i = 0; i < 12; i++) await ask('/calls/things')
  const warned = gateway.log.filter(({ limit }) => limit === 'monthly-calls')
  expect(warned.map(({ percent, used }) => [percent, used])).toEqual([
    [50, 5],
    [90, 9],
  ])
  expect(warned[0]).toMatchObject({ organizationId: gateway.organizationId, allowed: 10 })
})

it('RateLimit names the limit that binds next, and RateLimit-Policy all of them', async () => {
  expect(fieldsOf(await ask('/rated/things'))).toEqual({
    'x-ratelimit-limit': '2',
    'x-ratelimit-remaining': '1',
    ratelimit: '"rated.user.requests";r=1',
    'ratelimit-policy': '"rated.user.requests";q=2;w=60, "rated.organization.requests";q=50;w=60',
  })
})

it('a 429 in the shape of Kafka REST carries no limit field of any kind', async () => {
  await ask('/rated/things')
  const refused = await ask('/kafka/things')
  expect(refused.status).toBe(429)
  expect(Object.values(fieldsOf(refused))).toEqual([null, null, null, null])
  expect(refused.headers.get('retry-after')).toBeNull()
})

it('a limit in shadow mode refuses nothing, and the access log names it where it would', async () => {
  for (let i = 0; i < 3; i++) {
    const answer = await ask('/shadowed/things')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-ratelimit-limit')).toBeNull()
  }
  const lines = gateway.log.filter(({ group, verdict }) => group === 'shadowed' && verdict)
  expect(lines.map(({ shadow }) => shadow)).toEqual([
    undefined,
    'shadowed.user.requests',
    'shadowed.user.requests',
  ])
})

it('what an operation costs is counted, and limits of a method hold for it alone', async () => {
  expect(fieldsOf(await ask('/weighed/things'))).toMatchObject({ 'x-ratelimit-remaining': '99' })
  expect(fieldsOf(await ask('/weighed/export'))).toMatchObject({ 'x-ratelimit-remaining': '49' })
  const first = await ask('/weighed/things', 'POST')
  expect(fieldsOf(first)).toMatchObject({ ratelimit: '"weighed.writes.user.requests";r=10' })
  expect((await ask('/weighed/things', 'POST')).status).toBe(200)
  expect((await ask('/weighed/things', 'POST')).status).toBe(429)
  // 50 are too many for the 29 that are left; 1 is not.
  const refused = await ask('/weighed/export')
  expect(refused.status).toBe(429)
  expect(fieldsOf(refused)).toMatchObject({ 'x-ratelimit-remaining': '29' })
  expect((await ask('/weighed/things')).status).toBe(200)
  // HEAD is the GET that answers it.
  expect(fieldsOf(await ask('/weighed/things', 'HEAD'))).toMatchObject({
    'x-ratelimit-remaining': '27',
  })
})
