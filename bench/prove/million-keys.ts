import pg from 'pg'
import { basic } from '../../test/support/basic.ts'
import { startGatewayProcess } from '../../test/support/gateway-process.ts'
import { freePort } from '../../test/support/processes.ts'
import { createApiClient, type ApiClient } from './api-client.ts'
import { createCaller, urlsOf, type Caller } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { collectGarbage } from './garbage.ts'
import { openHouse, type House } from './house.ts'
import { pause, percentile } from './load.ts'
import { steadyMb } from './resident-memory.ts'

export const millionKeys: Experiment = {
  name: 'million-keys',
  shows:
    'With 1,000,000 API keys in PostgreSQL, a key that is not cached costs a gateway no more than one short look-up, the last page of their list is read as fast as the first, and the gateway takes no more memory',
  accepts: [],
  run: prove,
}

const keys = 1_000_000
const lookUps = 3_000
const pages = 60
const pageSize = 100
const settleMs = 3_000
const lookUpGoalMs = 1
const flatGoal = 1.5
/** Of the gateway's memory; as much as it goes up and down by itself. */
const memoryGoalMb = 10

async function prove(): Promise<Outcome> {
  await using house = await openHouse({
    gateways: 0,
    classes: { standard: {} },
    services: ['iam'],
    configuration: { publicOrigin: 'https://api.test' },
  })
  await using ends = new AsyncDisposableStack()
  const inspectorPort = await freePort()
  const started = await startGatewayProcess(house.fleet.configurationFile, {
    nodeOptions: [`--inspect=127.0.0.1:${inspectorPort}`],
  })
  const { pid } = ends.adopt(started, (gateway) => gateway.kill())
  const urls = urlsOf([started])
  await using caller = createCaller(urls, 1)
  const call = createApiClient(() => urls, house.fleet.authorization)
  const secret = await addKeys(house, 0, lookUps)
  await latencies(caller, house.fleet.authorization, secret, 0)
  await listEnds(call)
  const beforeMb = await heldMb(pid, inspectorPort)
  await addKeys(house, lookUps, keys, secret)
  // As many keys as before, none of them among those.
  const { knownMs, newMs } = await latencies(caller, house.fleet.authorization, secret, lookUps)
  const { firstMs, lastMs, total } = await listEnds(call)
  const afterMb = await heldMb(pid, inspectorPort)
  const lookUpMs = newMs - knownMs
  const flat = lastMs / firstMs
  return {
    figure: `a new key among ${count(total)} takes ${newMs.toFixed(2)} ms (p50), a known one ${knownMs.toFixed(2)}: ${lookUpMs.toFixed(2)} ms for the look-up; a page of ${pageSize} ${firstMs.toFixed(1)} ms at the beginning of the list, ${lastMs.toFixed(1)} at its end (${flat.toFixed(2)} ×); the gateway holds ${beforeMb.toFixed(0)} MB before and ${afterMb.toFixed(0)} after, garbage collected`,
    goal: `at most ${lookUpGoalMs} ms, ${flatGoal} ×, ${memoryGoalMb} MB more`,
    isMet:
      lookUpMs <= lookUpGoalMs &&
      flat <= flatGoal &&
      afterMb - beforeMb <= memoryGoalMb &&
      total > keys,
  }
}

/** Pages leave garbage that is many times what anything here takes. */
async function heldMb(pid: number, inspectorPort: number): Promise<number> {
  await collectGarbage(inspectorPort)
  await collectGarbage(inspectorPort)
  await pause(settleMs)
  return steadyMb(pid)
}

/**
 * Add keys with one and the same secret, past the triggers that would tell every gateway of each.
 *
 * @returns the secret
 */
async function addKeys(house: House, from: number, to: number, known?: string): Promise<string> {
  const { directory, userId } = house.fleet
  const made = await directory.apiKeys.create(
    { ownerId: userId, resource: { kind: 'cloud' } },
    { id: 'prove' },
  )
  const like = known === undefined ? made.id : idOf(0)
  const client = new pg.Client({ connectionString: house.databaseUrl })
  await client.connect()
  try {
    await client.query('SET session_replication_role = replica')
    const range = [like, from, to - 1]
    await client.query(
      `INSERT INTO api_keys (id, owner_id, organization_id, opens)
       SELECT 'K' || lpad(n::text, 15, '0'), owner_id, organization_id, 'cloud'
       FROM api_keys, generate_series($2::int, $3::int) AS n WHERE id = $1`,
      range,
    )
    await client.query(
      `INSERT INTO api_key_secrets (key_id, slot, digest, pepper_id)
       SELECT 'K' || lpad(n::text, 15, '0'), slot, digest, pepper_id
       FROM api_key_secrets, generate_series($2::int, $3::int) AS n WHERE key_id = $1`,
      range,
    )
    await client.query('VACUUM ANALYZE api_keys, api_key_secrets')
  } finally {
    await client.end()
  }
  return known ?? made.secret
}

function idOf(n: number): string {
  return `K${String(n).padStart(15, '0')}`
}

/** One request after another, by a known key and by one that no gateway has seen, in turn. */
async function latencies(caller: Caller, known: string, secret: string, from: number) {
  const knownMs: number[] = []
  const newMs: number[] = []
  const timed = async (authorization: string): Promise<number> => {
    const beganMs = performance.now()
    const status = await caller.call({ path: '/standard/hello', authorization })
    if (status !== 200) throw new Error(`A key was answered ${status ?? 'nothing'}`)
    return performance.now() - beganMs
  }
  // Spread over all of them, so that they are not neighbours in an index.
  const step = from === 0 ? 1 : Math.floor((keys - from) / lookUps)
  for (let n = 0; n < lookUps; n++) {
    knownMs.push(await timed(known))
    newMs.push(await timed(basic(idOf(from + n * step), secret)))
  }
  return { knownMs: percentile(knownMs, 0.5), newMs: percentile(newMs, 0.5) }
}

/** Walk from the first page on, and from the last one back. */
async function listEnds(call: ApiClient) {
  const first = await call({ path: `/iam/v2/api-keys?page_size=${pageSize}` })
  const total = first.body.metadata?.total_size ?? 0
  const firstMs: number[] = []
  const lastMs: number[] = []
  let next = first.body.metadata?.next
  let previous = first.body.metadata?.last
  for (let n = 0; n < pages && next !== undefined && previous !== undefined; n++) {
    const forward = await timedPage(call, next)
    firstMs.push(forward.ms)
    next = forward.metadata?.next
    const backward = await timedPage(call, previous)
    lastMs.push(backward.ms)
    previous = backward.metadata?.prev
  }
  return { firstMs: percentile(firstMs, 0.5), lastMs: percentile(lastMs, 0.5), total }
}

async function timedPage(call: ApiClient, link: string) {
  const { pathname, search } = new URL(link)
  const beganMs = performance.now()
  const { status, body } = await call({ path: pathname + search })
  if (status !== 200) throw new Error(`A page was answered ${status}`)
  return { ms: performance.now() - beganMs, metadata: body.metadata }
}
