import { readFile, writeFile } from 'node:fs/promises'
import { until } from '../../test/support/until.ts'
import { createCaller, urlsOf } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { percentile } from './load.ts'
import { readUrl } from './read-url.ts'
import { requestsIn, steadyLoad } from './steady-load.ts'

export const reload: Experiment = {
  name: 'reload',
  shows:
    'A gateway under load is told 100 times by SIGHUP to read its configuration again, 30 times an invalid one: no request fails, and each invalid one is refused',
  accepts: [],
  run: prove,
}

const perSecond = 300
const reloads = 100
const invalid = 30
const user = { requests: 1_000_000, windowSeconds: 3_600, concurrent: 1_000 }

async function prove(): Promise<Outcome> {
  await using house = await openHouse({ gateways: 1, classes: { rated: { user } } })
  const { fleet } = house
  const [gateway] = fleet.gateways
  if (gateway === undefined) throw new Error('There is no gateway')
  const valid = await readFile(fleet.configurationFile, 'utf8')
  await using caller = createCaller(urlsOf(fleet.gateways), 64)
  const call = { path: '/rated/hello', authorization: fleet.authorization }
  const load = steadyLoad(caller, perSecond, call)
  const phase = load.phase(call)
  for (let i = 0; i < reloads; i += 1) {
    const isValid = i % 10 < 10 - invalid / 10
    // Another timeout each time, so that upstreams are exchanged too.
    const changed = valid.replaceAll('"urls"', `"idleTimeoutMs":${60_000 + i},"urls"`)
    await writeFile(fleet.configurationFile, isValid ? changed : changed.slice(0, -9))
    const before = await reloadsOf(gateway.adminPort)
    process.kill(gateway.pid, 'SIGHUP')
    await until(async () => sum(await reloadsOf(gateway.adminPort)) > sum(before))
  }
  await load.stop()
  const { applied, refused } = await reloadsOf(gateway.adminPort)
  const failed = requestsIn([phase]) - (phase.statuses.get(200) ?? 0)
  const p99Ms = percentile(phase.latenciesMs, 0.99)
  return {
    figure: `${count(failed)} of ${count(requestsIn([phase]))} requests at ${perSecond}/s failed, p99 ${p99Ms.toFixed(1)} ms, over ${count(applied)} reloads and ${count(refused)} that were refused`,
    goal: `0 failed, at least ${reloads - invalid} applied and ${invalid} refused`,
    isMet: failed === 0 && applied >= reloads - invalid && refused >= invalid,
  }
}

type Reloads = { readonly applied: number; readonly refused: number }

async function reloadsOf(adminPort: number): Promise<Reloads> {
  const text = await readUrl(`http://127.0.0.1:${adminPort}/metrics`)
  const read = (outcome: string): number => {
    const series = `gatehouse_configuration_reloads_total\\{outcome="${outcome}"\\} (\\d+)`
    return Number(new RegExp(series).exec(text)?.[1] ?? 0)
  }
  return { applied: read('applied'), refused: read('refused') }
}

function sum({ applied, refused }: Reloads): number {
  return applied + refused
}
