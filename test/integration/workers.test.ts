import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Fleet } from '../support/fleet.ts'
import { runCommand, startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { createCaller } from '../support/load.ts'
import type { RecordingUpstream } from '../support/recording-upstream.ts'
import { startSharedFleet, type SharedFleet } from '../support/shared-fleet.ts'
import { until } from '../support/until.ts'

const two = ['--workers', '2']
const limited = { user: { requests: 300, windowSeconds: 3_600 } }

let shared: SharedFleet
let upstream: RecordingUpstream
let fleet: Fleet

beforeAll(async () => {
  shared = await startSharedFleet(({ redis, upstream }) => ({
    count: 0,
    configuration: {
      redis: { url: redis.url, commandTimeoutMs: 5_000 },
      limits: { classes: { open: {}, limited } },
    },
    groups: ['open', 'limited'].map((limitClass) => ({
      name: limitClass,
      limitClass,
      paths: { [`/${limitClass}`]: { get: {} } },
      upstreamUrl: upstream.url,
    })),
  }))
  ;({ upstream, fleet } = shared)
})
afterEach(() => {
  upstream.reset()
})
afterAll(() => shared.stop())

/** Each on a connection of its own, so that they spread. */
async function callApart({ port }: GatewayProcess, path: string): Promise<number> {
  const headers = { authorization: fleet.authorization, connection: 'close' }
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
  await response.text()
  return response.status
}

function pidsOf({ log }: GatewayProcess): readonly number[] {
  return log.filter(({ msg }) => msg === 'worker listening').map(({ pid }) => Number(pid))
}

async function readyz({ adminPort }: GatewayProcess): Promise<Response> {
  return fetch(`http://127.0.0.1:${adminPort}/readyz`)
}

async function metricsOf({ adminPort }: GatewayProcess): Promise<string> {
  return (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
}

test('two workers serve one listener, share exact limits, and are one in metrics and readiness', async () => {
  const gateway = await fleet.start(two)
  expect(new Set(pidsOf(gateway)).size).toBe(2)
  const caller = createCaller([gateway.port], fleet.authorization)
  const answers = await caller.callTimes(900, '/limited')
  await caller.close()
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(300)
  expect(upstream.requests).toHaveLength(300)
  const forwarded =
    /^gatehouse_requests_total\{(?=[^}]*group="limited")(?=[^}]*verdict="forwarded")[^}]*\} (\d+)$/m
  await until(async () => forwarded.exec(await metricsOf(gateway))?.[1] === '300')
  expect(await metricsOf(gateway)).toMatch(/^gatehouse_workers 2$/m)
  expect(await (await readyz(gateway)).json()).toMatchObject({
    status: 'ready',
    parts: { directory: { state: 'up' }, limits: { state: 'up' } },
  })
  gateway.terminate()
  expect(await gateway.exit()).toBe(0)
}, 90_000)

test('SIGHUP to the primary has every worker read its configuration again', async () => {
  const gateway = await fleet.start(two)
  const applied = /^gatehouse_configuration_reloads_total\{outcome="applied"\} (\d+)$/m
  expect(applied.exec(await metricsOf(gateway))?.[1]).toBe('0')
  process.kill(gateway.pid, 'SIGHUP')
  await until(async () => applied.exec(await metricsOf(gateway))?.[1] === '2')
  expect(await callApart(gateway, '/open')).toBe(200)
  gateway.terminate()
  expect(await gateway.exit()).toBe(0)
}, 90_000)

test('workers without Redis are told that each keeps its limits by itself; with it there is no warning', async () => {
  const file = join(dirname(fleet.configurationFile), 'without-redis.yaml')
  const configuration = JSON.parse(await readFile(fleet.configurationFile, 'utf8')) as object
  await writeFile(file, JSON.stringify({ ...configuration, redis: {} }))
  const alone = await startGatewayProcess(file, { serveOptions: two })
  const sharing = await fleet.start(two)
  const warned = /each of the 2 workers keeps its limits by itself/
  const warnings = ({ log }: GatewayProcess) =>
    log.filter(({ warning }) => typeof warning === 'string' && warned.test(warning))
  try {
    expect(warnings(alone)).toHaveLength(1)
    expect(warnings(sharing)).toHaveLength(0)
  } finally {
    await alone.kill()
    await sharing.kill()
  }
}, 90_000)

test('a worker that is killed is replaced, named in the log, while the other one serves', async () => {
  const gateway = await fleet.start(two)
  const [victim] = pidsOf(gateway)
  if (victim === undefined) throw new Error('No worker has said that it listens')
  process.kill(victim, 'SIGKILL')
  await until(() => gateway.log.some(({ msg, pid }) => msg === 'a worker died' && pid === victim))
  expect(await callApart(gateway, '/open')).toBe(200)
  await until(() => pidsOf(gateway).length === 3)
  await until(async () => (await readyz(gateway)).status === 200)
  const statuses = await Promise.all(Array.from({ length: 20 }, () => callApart(gateway, '/open')))
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(await metricsOf(gateway)).toMatch(/^gatehouse_worker_deaths_total 1$/m)
  gateway.terminate()
  expect(await gateway.exit()).toBe(0)
}, 90_000)

test('SIGTERM drains all workers: what was forwarded is answered whole, and all lines are written', async () => {
  const gateway = await fleet.start(two)
  const open: (() => void)[] = []
  upstream.behave((_incoming, outgoing) => {
    outgoing.write('begun, ')
    open.push(() => outgoing.end('ended'))
  })
  const headers = { authorization: fleet.authorization }
  const url = `http://127.0.0.1:${gateway.port}/open`
  const answers = Array.from({ length: 8 }, async () => (await fetch(url, { headers })).text())
  await until(() => open.length === 8)
  gateway.terminate()
  await until(async () => (await readyz(gateway)).status === 503)
  for (const end of open) end()
  expect(await Promise.all(answers)).toEqual(Array(8).fill('begun, ended'))
  expect(await gateway.exit()).toBe(0)
  expect(gateway.log.filter(({ verdict }) => verdict === 'forwarded')).toHaveLength(8)
  expect(gateway.log.filter(({ msg }) => msg === 'stopped')).toHaveLength(3)
}, 90_000)

test('several workers on an embedded directory are refused, and so are workers that do not start', async () => {
  const embedded = await runCommand(['serve', '--workers', '2'])
  expect(embedded.exitCode).not.toBe(0)
  expect(embedded.stderr).toMatch(/embedded directory belongs to one process/)
  for (const odd of ['0', '-1', 'two', '1.5']) {
    expect((await runCommand(['serve', '--workers', odd])).exitCode).not.toBe(0)
  }
}, 90_000)
