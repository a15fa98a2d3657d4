import { expect, test } from 'vitest'
import { durationBounds, createDurations } from '../../src/telemetry/durations.ts'
import { createTraffic } from '../../src/telemetry/traffic.ts'

const forwarded = {
  ...{ group: 'things/v1', operation: 'things/v1 GET /things', method: 'GET' },
  ...{ status: 200, verdict: 'forwarded', gatewayMs: 0.4, upstreamMs: 3 },
}

test('requests are told apart by group, kind of operation, status and verdict, and by nothing else', () => {
  const traffic = createTraffic()
  traffic.count({ ...forwarded, path: '/things/1', principal: 'u-1', userAgent: 'a' })
  traffic.count({ ...forwarded, path: '/things/2', principal: 'u-2', userAgent: 'b' })
  traffic.count({ ...forwarded, method: 'HEAD' })
  traffic.count({ ...forwarded, method: 'DELETE', status: 204 })
  traffic.count({ ...forwarded, status: 404 })
  traffic.count({ ...forwarded, status: 429, verdict: 'RATE_LIMIT_EXCEEDED' })
  traffic.count({ status: 400, verdict: 'REQUEST_MALFORMED', method: 'MADE-UP' })
  const read = { group: 'things/v1', operationClass: 'read' }
  expect(traffic.requests()).toEqual([
    { ...read, statusClass: '2xx', verdict: 'forwarded', count: 3 },
    { ...read, statusClass: '4xx', verdict: 'forwarded', count: 1 },
    { ...read, statusClass: '4xx', verdict: 'RATE_LIMIT_EXCEEDED', count: 1 },
    { ...read, operationClass: 'write', statusClass: '2xx', verdict: 'forwarded', count: 1 },
    ...[
      { group: '', operationClass: 'none', statusClass: '4xx', verdict: 'REQUEST_MALFORMED' },
    ].map((each) => ({ ...each, count: 1 })),
  ])
})

test('durations are counted by group, each part where the request had it', () => {
  const traffic = createTraffic()
  traffic.count(forwarded)
  traffic.count({ ...forwarded, upstreamMs: undefined })
  const [{ group, gateway, upstream } = { group: '', gateway: undefined, upstream: undefined }] =
    traffic.durations()
  expect([group, gateway?.count, upstream?.count]).toEqual(['things/v1', 2, 1])
  expect(upstream?.sumSeconds).toBeCloseTo(0.003)
})

test('a bucket holds what took no longer than its bound, and the last of them all but the longest', () => {
  const durations = createDurations()
  for (const seconds of durationBounds) durations.observe(seconds * 1_000)
  durations.observe(3_600_000)
  const { atMost, count } = durations.read()
  expect(atMost).toEqual(durationBounds.map((_, place) => place + 1))
  expect(count).toBe(durationBounds.length + 1)
})
