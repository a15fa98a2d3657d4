import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { rawExchange } from '../support/raw-client.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

let upstream: RecordingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await recordingUpstream()
  gateway = await startGateway({
    groups: [
      { name: 'things/v1', paths: { '/things/{id}': { get: {} } }, upstreamUrl: upstream.url },
      {
        name: 'few/v1',
        limitClass: 'few',
        paths: { '/few': { get: {} } },
        upstreamUrl: upstream.url,
      },
      {
        name: 'held/v1',
        limitClass: 'held',
        paths: { '/held': { get: {} } },
        upstreamUrl: upstream.url,
      },
    ],
    configuration: {
      limits: {
        classes: {
          standard: {},
          few: { user: { requests: 1, windowSeconds: 3_600 } },
          held: { user: { concurrent: 1 } },
        },
      },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

async function metrics(): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${gateway.adminPort}/metrics`)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  return answer.text()
}

async function value(series: string): Promise<number> {
  const line = (await metrics()).split('\n').find((each) => each.startsWith(`${series} `))
  return Number(line?.slice(series.length + 1) ?? 0)
}

function call(path: string, fields: readonly string[] = []): Promise<{ status: number }> {
  const head = [`GET ${path} HTTP/1.1`, 'Host: api.test', ...fields]
  return rawExchange(gateway.port, `${head.join('\r\n')}\r\n\r\n`)
}

const known = (): string[] => [`Authorization: ${gateway.key.authorization}`]

function requests(group: string, kind: string, status: string, verdict: string): string {
  return `gatehouse_requests_total{group="${group}",verdict="${verdict}",operation_class="${kind}",status_class="${status}"}`
}

test('every request is counted once, by what became of it', async () => {
  await call('/things/1', known())
  await call('/things/2', known())
  await call('/things/3')
  await call('/things/1/2', known())
  await rawExchange(gateway.port, 'nonsense\r\n\r\n')
  const counted = async () =>
    (await metrics()).split('\n').filter((line) => line.startsWith('gatehouse_requests_total'))
  await until(async () => (await counted()).length === 4)
  expect((await counted()).sort()).toEqual(
    [
      `${requests('things/v1', 'read', '2xx', 'forwarded')} 2`,
      `${requests('things/v1', 'read', '4xx', 'AUTHENTICATION_REQUIRED')} 1`,
      `${requests('things/v1', 'none', '4xx', 'OPERATION_NOT_FOUND')} 1`,
      `${requests('', 'none', '4xx', 'REQUEST_MALFORMED')} 1`,
    ].sort(),
  )
  expect(await value('gatehouse_upstream_duration_seconds_count{group="things/v1"}')).toBe(2)
  expect(
    await value('gatehouse_upstream_duration_seconds_bucket{group="things/v1",le="+Inf"}'),
  ).toBe(2)
})

test('whatever callers send, no series is added', async () => {
  await call('/things/0')
  const names = async () => (await metrics()).replaceAll(/ [-+\d.e]+$/gm, '').split('\n')
  await until(
    async () => (await value(requests('things/v1', 'read', '4xx', 'AUTHENTICATION_REQUIRED'))) >= 2,
  )
  const before = await names()
  for (let i = 0; i < 30; i += 1) {
    await call(`/things/${i}?${i}=${i}`, [`User-Agent: ${i}`, `X-${i}: ${i}`, `X-Request-Id: ${i}`])
  }
  expect(await names()).toEqual(before)
})

test('refusals are counted by what was used up', async () => {
  await call('/few', known())
  await call('/few', known())
  expect(await value('gatehouse_admission_refusals_total{reason="rate"}')).toBe(1)
  expect(await value('gatehouse_admission_decisions_total{outcome="refused"}')).toBe(1)
})

test('what is under way shows as such: requests, and the slots that they hold', async () => {
  upstream.behave((_incoming, outgoing) => {
    outgoing.write('begun')
    release = () => outgoing.end()
  })
  let release: (() => void) | undefined
  const held = call('/held', known())
  await until(() => release !== undefined)
  expect(await value('gatehouse_requests_in_flight')).toBe(1)
  expect(await value('gatehouse_leases_held')).toBe(1)
  await call('/held', known())
  expect(await value('gatehouse_admission_refusals_total{reason="concurrency"}')).toBe(1)
  release?.()
  await held
  await until(async () => (await value('gatehouse_requests_in_flight')) === 0)
  expect(await value('gatehouse_leases_held')).toBe(0)
})

test('metrics are on the admin listener only', async () => {
  expect((await call('/metrics', known())).status).toBe(404)
})

test('every metric is documented, and no other is', async () => {
  const operations = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8')
  const documented = [...operations.matchAll(/^\| `((?:gatehouse|process|nodejs)_\w+)` +\|/gm)]
  const served = [...(await metrics()).matchAll(/^# TYPE (\S+)/gm)]
  const names = (matches: RegExpExecArray[]) => matches.map(([, name]) => name).sort()
  expect(names(documented)).toEqual(names(served))
})
