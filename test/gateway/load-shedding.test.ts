import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLoadShedding, createShare } from '../../src/gateway/load-shedding.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { rawClient, rawExchange, type RawResponse } from '../support/raw-client.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

let upstream: RecordingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await recordingUpstream()
  gateway = await startGateway({
    groups: [{ name: 'things/v1', paths: { '/things': { get: {} } }, upstreamUrl: upstream.url }],
    configuration: {
      limits: { classes: { standard: {} } },
      loadShedding: { maxInFlight: 2, retryAfterSeconds: 3 },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

function request(path: string, authorization: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`
}

function send(path: string, authorization: string): Promise<RawResponse> {
  return rawExchange(gateway.port, request(path, authorization))
}

test('more than may be under way is 503 with Retry-After before credentials are looked at, and counted', async () => {
  upstream.behave(() => undefined)
  const { authorization } = gateway.key
  const held = await Promise.all([rawClient(gateway.port), rawClient(gateway.port)])
  for (const client of held) client.send(request('/things', authorization))
  await until(() => upstream.inFlight() === 2)
  const answers = [
    await send('/things', authorization),
    await send('/things', 'Basic ?'),
    await send('/things', 'Basic YTpi'),
  ]
  for (const answer of answers) {
    expect([answer.status, answer.field('Retry-After')]).toEqual([503, '3'])
    expect(answer.json()).toMatchObject({ status: '503', error: { code: 'OVERLOADED' } })
  }
  expect(upstream.requests).toHaveLength(2)

  // The admin listener answers whatever goes on.
  const metrics = await fetch(`http://127.0.0.1:${gateway.adminPort}/metrics`)
  const text = await metrics.text()
  expect(text).toContain('gatehouse_shed_requests_total{reason="in_flight"} 3')
  expect((await fetch(`http://127.0.0.1:${gateway.adminPort}/readyz`)).status).toBe(200)

  for (const client of held) client.close()
  await until(() => gateway.inFlight() === 0)
  upstream.behave(undefined)
  expect((await send('/things', authorization)).status).toBe(200)
})

test('the share that is refused grows while it is too much, to nine of ten, and goes back to none', () => {
  const share = createShare()
  const refused = () => Array.from({ length: 100 }, () => share.takes()).filter(Boolean).length
  const shares: number[] = [refused()]
  for (const isTooMuch of [true, true, ...Array.from({ length: 20 }, () => true)]) {
    share.note(isTooMuch)
    shares.push(refused())
  }
  expect(shares.slice(0, 4)).toEqual([0, 10, 20, 30])
  expect(shares.at(-1)).toBe(90)
  for (let i = 0; i < 8; i += 1) share.note(false)
  expect(refused()).toBe(10)
  share.note(false)
  expect([refused(), share.isNone()]).toEqual([0, true])
})

test('an event loop that is late refuses requests, and says so once; one that is in time refuses none', async () => {
  const log: object[] = []
  const note = (record: object) => log.push(record)
  const options = { eventLoopDelayMs: 20, retryAfterSeconds: 1 }
  const shedding = createLoadShedding(options, () => 1, { info: note, warn: note })
  const refuses = (): boolean => {
    try {
      shedding.refuse()
      return false
    } catch {
      return true
    }
  }
  try {
    expect(Array.from({ length: 20 }, refuses)).not.toContain(true)
    await until(() => {
      // Hold the loop for longer than it may be late, again and again.
      const end = performance.now() + 60
      while (performance.now() < end);
      return refuses()
    })
    expect(log).toEqual([expect.objectContaining({ shedding: true })])
    expect(shedding.counts().eventLoopDelay).toBeGreaterThan(0)
    await until(() => log.length === 2)
    expect(log[1]).toEqual({ shedding: false })
    expect(Array.from({ length: 20 }, refuses)).not.toContain(true)
  } finally {
    shedding.close()
  }
})
