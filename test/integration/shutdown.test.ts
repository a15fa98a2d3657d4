import { Agent, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startFleet, type Fleet } from '../support/fleet.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

let postgres: TestPostgres
let upstream: RecordingUpstream
let fleet: Fleet

beforeAll(async () => {
  ;[postgres, upstream] = await Promise.all([startPostgres(), recordingUpstream()])
  fleet = await startFleet({
    count: 0,
    databaseUrl: await postgres.createDatabase(),
    groups: [{ name: 'any/v1', paths: { '/any/{name}': { get: {} } }, upstreamUrl: upstream.url }],
    configuration: {
      limits: { classes: { standard: { user: { concurrent: 1_000 } } } },
      shutdown: { readinessGraceMs: 500 },
    },
  })
})
afterEach(() => {
  upstream.reset()
})
afterAll(async () => {
  await fleet.stop()
  await upstream.close()
  await postgres.stop()
})

type Answer = { readonly status: number; readonly connection: string; readonly body: string }

/** What came of a request: an answer; or none, on a connection that was refused or closed; or a part of one. */
type Outcome = Answer | 'refused' | 'closed' | 'cut'

/** Call through an agent that keeps connections until it is told that they close. */
function call(gateway: GatewayProcess, name: string, agent: Agent): Promise<Outcome> {
  const { authorization } = fleet
  const options = { port: gateway.port, path: `/any/${name}`, agent, headers: { authorization } }
  return new Promise((resolve) => {
    request(options)
      .once('error', ({ code }: NodeJS.ErrnoException) => {
        resolve(code === 'ECONNREFUSED' ? 'refused' : 'closed')
      })
      .once('response', (incoming) => {
        void read(incoming).then(resolve)
      })
      .end()
  })
}

async function read(incoming: IncomingMessage): Promise<Outcome> {
  try {
    const body = (await incoming.toArray()).join('')
    const { statusCode: status = 0, headers } = incoming
    return { status, connection: headers.connection ?? '', body }
  } catch {
    // The connection ended before the body did.
    return 'cut'
  }
}

function readiness({ adminPort }: GatewayProcess): Promise<Response> {
  return fetch(`http://127.0.0.1:${adminPort}/readyz`)
}

test('a gateway that runs is live and ready, on its admin listener only', async () => {
  const gateway = await fleet.start()
  expect((await fetch(`http://127.0.0.1:${gateway.adminPort}/livez`)).status).toBe(200)
  const ready = await readiness(gateway)
  expect(ready.status).toBe(200)
  expect(await ready.json()).toMatchObject({
    status: 'ready',
    parts: { directory: { state: 'up' }, limits: { state: 'up' } },
  })
  for (const path of ['/livez', '/readyz']) {
    expect((await fetch(`http://127.0.0.1:${gateway.port}${path}`)).status).toBe(404)
  }
  gateway.terminate()
  expect(await gateway.exit()).toBe(0)
})

test('after SIGTERM it is live, not ready, and still answers, closing each connection that it answers on', async () => {
  const gateway = await fleet.start()
  const agent = new Agent({ keepAlive: true })
  expect(await call(gateway, 'before', agent)).toMatchObject({ connection: 'keep-alive' })
  gateway.terminate()
  await until(async () => (await readiness(gateway)).status === 503)
  expect((await fetch(`http://127.0.0.1:${gateway.adminPort}/livez`)).status).toBe(200)
  expect(await call(gateway, 'after', agent)).toMatchObject({ status: 200, connection: 'close' })
  expect(await gateway.exit()).toBe(0)
})

test('SIGTERM under load: what was forwarded is answered whole and logged, streams end well, and it exits with 0', async () => {
  const gateway = await fleet.start()
  const agent = new Agent({ keepAlive: true })
  const streams = openStreams()
  upstream.behave(streams.behave)
  const streamed = Promise.all(['a', 'b', 'c'].map(() => call(gateway, 'stream', agent)))
  await until(() => streams.count() === 3)
  const load = startLoad(gateway, agent)
  await until(() => load.outcomes.length > 200)

  gateway.terminate()
  // Each client goes on until it finds the gateway closed.
  await load.done
  streams.end()
  expect(await streamed).toEqual(
    Array(3).fill({ status: 200, connection: 'keep-alive', body: 'begun, ended' }),
  )
  expect(await gateway.exit()).toBe(0)

  const answers = load.outcomes.filter((outcome) => typeof outcome === 'object')
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(load.outcomes).not.toContain('cut')
  // A request that was not answered had no effect: it can be sent again elsewhere.
  expect(upstream.requests).toHaveLength(answers.length + 3)
  const accesses = gateway.log.filter(({ verdict }) => verdict === 'forwarded')
  expect(accesses).toHaveLength(answers.length + 3)
  expect(accesses.every(({ complete }) => complete === true)).toBe(true)
})

function startLoad(gateway: GatewayProcess, agent: Agent) {
  const outcomes: Outcome[] = []
  const client = async (): Promise<void> => {
    while (outcomes.at(-1) !== 'refused') outcomes.push(await call(gateway, 'hello', agent))
  }
  return { outcomes, done: Promise.all(Array.from({ length: 16 }, client)) }
}

/** An upstream that answers `/any/stream` in two pieces, the second when it is told to. */
function openStreams() {
  const open: ServerResponse[] = []
  return {
    count: () => open.length,
    end: () => {
      for (const outgoing of open) outgoing.end('ended')
    },
    behave: ({ url }: IncomingMessage, outgoing: ServerResponse): void => {
      if (url !== '/any/stream') {
        outgoing.end('hello')
        return
      }
      outgoing.write('begun, ')
      open.push(outgoing)
    },
  }
}
