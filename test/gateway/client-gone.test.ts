import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { rawClient, rawExchange } from '../support/raw-client.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** So many calls in a row must fail for Redis to be given up. */
const failures = 5

let redis: TestRedis
let upstream: RecordingUpstream
let gateway: TestGateway

beforeAll(async () => {
  redis = await startRedis()
  upstream = await recordingUpstream()
  gateway = await startGateway({
    groups: [{ name: 'any/v1', paths: { '/any': { get: {} } }, upstreamUrl: upstream.url }],
    configuration: {
      redis: { url: redis.url, commandTimeoutMs: 1_000 },
      limits: { classes: { standard: { user: { concurrent: 100 } } } },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
  await redis.stop()
})

test('a request whose client left before it was admitted never reaches the upstream', async () => {
  const { authorization } = gateway.key
  const head = `GET /any HTTP/1.1\r\nHost: api.test\r\nAuthorization: ${authorization}\r\n\r\n`
  await rawExchange(gateway.port, head)
  redis.freeze()
  for (let i = 0; i < failures; i++) {
    const client = await rawClient(gateway.port)
    client.send(head)
    await until(() => gateway.inFlight() === 1)
    client.close()
    await until(() => gateway.inFlight() === 0)
  }
  // By then each of them has been decided in this process, and admitted.
  await until(() => gateway.log.some(({ err }) => err !== undefined))
  expect((await rawExchange(gateway.port, head)).status).toBe(200)
  expect(upstream.requests).toHaveLength(2)
  redis.thaw()
})
