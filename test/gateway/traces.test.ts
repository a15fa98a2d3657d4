import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCollector, type CollectedSpan, type Collector } from '../support/collector.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const callersSpan = '00f067aa0ba902b7'
const server = 2
const client = 3

let upstream: RecordingUpstream
let collector: Collector
beforeAll(async () => {
  upstream = await recordingUpstream()
  collector = await startCollector()
})
afterAll(async () => {
  await upstream.close()
  await collector.close()
})

function start(traces: Readonly<Record<string, unknown>> | undefined): Promise<TestGateway> {
  return startGateway({
    groups: [
      { name: 'things/v1', paths: { '/things/{id}': { get: {} } }, upstreamUrl: upstream.url },
    ],
    configuration: traces === undefined ? {} : { traces },
  })
}

function ask(gateway: TestGateway, path: string, headers: Readonly<Record<string, string>> = {}) {
  return fetch(`http://127.0.0.1:${gateway.port}${path}`, {
    headers: { authorization: gateway.key.authorization, ...headers },
  })
}

/** What reached the upstream last. */
function sent(name: string): string | string[] | undefined {
  return upstream.requests.at(-1)?.headers[name]
}

async function collected(count: number): Promise<readonly CollectedSpan[]> {
  await until(() => collector.spans.length >= count)
  return collector.spans.splice(0)
}

describe('with a collector', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await start({
      endpoint: collector.url,
      sampleRatio: 1,
      headers: { authorization: 'Bearer for-the-collector' },
    })
  })
  afterAll(() => gateway.stop())

  test('a request is a span within the caller’s, and the upstream’s part one within it', async () => {
    const answer = await ask(gateway, '/things/7?secret=1', {
      traceparent: `00-${traceId}-${callersSpan}-00`,
      tracestate: 'vendor=1',
    })
    await answer.text()
    const spans = await collected(2)
    const request = spans.find(({ kind }) => kind === server)
    const forwarded = spans.find(({ kind }) => kind === client)
    expect(request).toMatchObject({
      traceId,
      parentSpanId: callersSpan,
      name: 'things/v1 GET /things/{id}',
      isError: false,
      service: 'gatehouse',
      attributes: {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'url.path': '/things/7',
        'gatehouse.organization': gateway.organizationId,
        'gatehouse.principal': gateway.userId,
        'gatehouse.request_id': answer.headers.get('x-request-id'),
      },
    })
    expect(forwarded).toMatchObject({ traceId, parentSpanId: request?.spanId })
    // The flag is our own decision, not the caller's.
    expect(sent('traceparent')).toBe(`00-${traceId}-${forwarded?.spanId ?? ''}-01`)
    expect(sent('tracestate')).toBe('vendor=1')
    expect(gateway.log.at(-1)).toMatchObject({ traceId })
    expect(JSON.stringify(spans)).not.toContain('secret')
    expect(collector.authorizations.at(-1)).toBe('Bearer for-the-collector')
  })

  test.each([
    ['none', undefined],
    ['of zeros', `00-${'0'.repeat(32)}-${callersSpan}-01`],
    ['of another length', `00-${traceId}ff-${callersSpan}-01`],
    ['that is text', '<script>'],
  ])('a trace context %s begins a new trace', async (_, traceparent) => {
    await (await ask(gateway, '/things/7', traceparent === undefined ? {} : { traceparent })).text()
    const spans = await collected(2)
    const own = spans.find(({ kind }) => kind === server)
    expect(own?.parentSpanId).toBeUndefined()
    expect(own?.traceId).toMatch(/^[0-9a-f]{32}$/)
    expect(own?.traceId).not.toBe(traceId)
    expect(sent('traceparent')).toMatch(new RegExp(`^00-${own?.traceId ?? ''}-[0-9a-f]{16}-01$`))
  })

  test('a refusal is a span that says why, and none of an upstream', async () => {
    await (await ask(gateway, '/things/7', { authorization: 'Basic bm86bm8=' })).text()
    await (await ask(gateway, '/nowhere')).text()
    const spans = await collected(2)
    expect(spans.map(({ kind }) => kind)).toEqual([server, server])
    expect(spans.map(({ attributes }) => attributes['error.type'])).toEqual([
      'CREDENTIAL_REJECTED',
      'OPERATION_NOT_FOUND',
    ])
  })

  test('what has not been exported is, before the gateway ends', async () => {
    const other = await start({ endpoint: collector.url, sampleRatio: 1 })
    await (await ask(other, '/things/7')).text()
    await other.stop()
    expect(collector.spans.splice(0)).toHaveLength(2)
  })
})

test('a request that is not sampled says so upstream, and is not exported', async () => {
  const gateway = await start({ endpoint: collector.url, sampleRatio: 0 })
  await (await ask(gateway, '/things/7', { traceparent: `00-${traceId}-${callersSpan}-01` })).text()
  expect(sent('traceparent')).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`))
  await gateway.stop()
  expect(collector.spans).toEqual([])
})

test('without a collector that answers, requests are served, and one warning tells it', async () => {
  const gateway = await start({ endpoint: 'http://127.0.0.1:9/v1/traces', sampleRatio: 1 })
  const warned = () => gateway.log.filter(({ endpoint }) => endpoint !== undefined)
  for (let n = 0; n < 3; n++) expect((await ask(gateway, '/things/7')).status).toBe(200)
  await until(() => warned().length > 0, 20_000)
  await gateway.stop()
  expect(warned()).toHaveLength(1)
})

test('without traces, a caller’s trace context passes as it is', async () => {
  const gateway = await start(undefined)
  const traceparent = `00-${traceId}-${callersSpan}-01`
  await (await ask(gateway, '/things/7', { traceparent, tracestate: 'vendor=1' })).text()
  expect([sent('traceparent'), sent('tracestate')]).toEqual([traceparent, 'vendor=1'])
  await gateway.stop()
})
