import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { loadConfiguration } from '../../src/config/load.ts'
import { writeConfiguration, type TestConfiguration } from '../support/configuration.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { createCaller, type Caller } from '../support/load.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

let first: RecordingUpstream
let second: RecordingUpstream
let gateway: TestGateway
let caller: Caller
let folder: string

beforeAll(async () => {
  ;[first, second] = await Promise.all([recordingUpstream(), recordingUpstream()])
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-reload-'))
  gateway = await startGateway(served({}))
  caller = createCaller([gateway.port], gateway.key.authorization)
})
beforeEach(async () => {
  first.reset()
  second.reset()
  await reload(served({}))
})
afterAll(async () => {
  await caller.close()
  await gateway.stop()
  await Promise.all([first.close(), second.close()])
  await rm(folder, { recursive: true, force: true })
})

type Changes = {
  readonly upstream?: RecordingUpstream
  readonly paths?: Readonly<Record<string, unknown>>
  readonly requests?: number
  readonly configuration?: Readonly<Record<string, unknown>>
}

function served({ upstream = first, paths, requests = 1_000_000, configuration }: Changes) {
  return {
    groups: [
      {
        name: 'things/v1',
        paths: paths ?? { '/things/{id}': { get: {} } },
        upstreamUrl: upstream.url,
      },
    ],
    limits: { user: { requests, windowSeconds: 3_600, concurrent: 500 } },
    ...(configuration === undefined ? {} : { configuration }),
  } satisfies TestConfiguration
}

async function reload(options: TestConfiguration): Promise<void> {
  const file = await writeConfiguration(folder, options)
  await gateway.reload(() => loadConfiguration(file, {}))
}

async function statusOf(path: string): Promise<number> {
  return (await caller.call(path)).status
}

test('operations, upstreams and limits are those of the new configuration', async () => {
  expect(await statusOf('/things/1')).toBe(200)
  expect(await statusOf('/others')).toBe(404)
  await reload(served({ upstream: second, paths: { '/others': { get: {} } }, requests: 1_234 }))
  expect(await statusOf('/things/1')).toBe(404)
  const { status, headers } = await caller.call('/others')
  expect([status, headers['x-ratelimit-limit']]).toEqual([200, '1234'])
  expect(second.requests).toHaveLength(1)
})

test('what was counted stays counted, whatever limit it is held against', async () => {
  const remaining = async () =>
    Number((await caller.call('/things/1')).headers['x-ratelimit-remaining'])
  const before = await remaining()
  await reload(served({}))
  expect(await remaining()).toBe(before - 1)
  await reload(served({ requests: 2_000_000 }))
  expect(await remaining()).toBe(before - 2 + 1_000_000)
})

test.each([
  ['is no YAML of ours', () => Promise.reject(new Error('gateway.yaml:1:1 is wrong'))],
  [
    'has a document that does not compile',
    async () => {
      const broken = served({ paths: { '/things/{id}': { get: { security: [{ nope: [] }] } } } })
      return loadConfiguration(await writeConfiguration(folder, broken), {})
    },
  ],
])(
  'a configuration that %s is refused with the reason, and the old one serves',
  async (_, load) => {
    const before = gateway.log.length
    await gateway.reload(load)
    expect(gateway.log.slice(before)).toEqual([
      expect.objectContaining({ problem: expect.stringMatching(/wrong|nope/) as unknown }),
    ])
    expect(await statusOf('/things/1')).toBe(200)
    const text = await (await fetch(`http://127.0.0.1:${gateway.adminPort}/metrics`)).text()
    expect(text).toContain('gatehouse_configuration_current 0\n')
  },
)

test('what a restart would take is named, and the rest counts', async () => {
  const before = gateway.log.length
  const configuration = { requests: { maxHeaderFields: 50 } }
  await reload(
    served({ upstream: second, configuration: { ...configuration, ...limitsOf(1_000) } }),
  )
  expect(gateway.log.slice(before)).toContainEqual({
    restart: expect.arrayContaining(['requests.maxHeaderFields']) as unknown,
  })
  await statusOf('/things/1')
  expect(second.requests).toHaveLength(1)
})

function limitsOf(concurrent: number) {
  return { limits: { classes: { standard: { user: { concurrent } } } } }
}

test('a stream that began before goes on to its end, and then its upstream is closed', async () => {
  let finish: (() => void) | undefined
  first.behave((_incoming, outgoing) => {
    outgoing.write('begun, ')
    finish = () => outgoing.end('ended')
  })
  const stream = caller.call('/things/1')
  await until(() => finish !== undefined)
  await reload(served({ upstream: second }))
  expect(await statusOf('/things/2')).toBe(200)
  finish?.()
  expect((await stream).body).toBe('begun, ended')
  await until(() => first.connections() === 0)
})

test('an upstream that is configured as before keeps its connections', async () => {
  await statusOf('/things/1')
  const before = first.connections()
  await reload(served({ paths: { '/things/{id}': { get: {} }, '/others': { get: {} } } }))
  await statusOf('/others')
  expect([before, first.connections()]).toEqual([1, 1])
})

test('20 reloads under load, 6 of them invalid: every request is answered 200', async () => {
  const statuses: number[] = []
  let isOver = false
  const client = async (): Promise<void> => {
    while (!isOver) statuses.push(await statusOf('/things/1'))
  }
  const clients = Promise.all(Array.from({ length: 8 }, client))
  for (let i = 0; i < 20; i += 1) {
    if (i % 3 === 2 && i < 18) await gateway.reload(() => Promise.reject(new Error('invalid')))
    else await reload(served({ upstream: i % 2 === 0 ? second : first }))
    const seen = statuses.length
    await until(() => statuses.length > seen + 8)
  }
  isOver = true
  await clients
  expect(new Set(statuses)).toEqual(new Set([200]))
})
