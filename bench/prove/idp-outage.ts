import { join } from 'node:path'
import { startGatewayProcess, type GatewayProcess } from '../../test/support/gateway-process.ts'
import { freePort } from '../../test/support/processes.ts'
import { spreadOf, type Spread } from '../statistics.ts'
import { createCaller, urlsOf, type Caller, type Status } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import type { IdentityProvider } from './identity-provider.ts'
import { closedLoop, openLoop, pause, percentile } from './load.ts'
import { openTokenHouse } from './token-house.ts'

export const idpOutage: Experiment = {
  name: 'idp-outage',
  shows:
    "An identity provider that hangs holds up nobody else, and one that is away for an hour of the gateway's clock, which is put forward minute by minute, costs no token whose key is known",
  accepts: [],
  run: prove,
}

/** A whole gateway, and what is done to it. */
type Scene = {
  readonly gateway: GatewayProcess
  readonly caller: Caller
  readonly provider: IdentityProvider
  readonly clock: Clock
  /** An Authorization value of a cloud key. */
  readonly authorization: string
}

/** The wall clock of the gateway. */
type Clock = {
  now(): number
  putForward(ms: number): Promise<void>
}

async function prove(): Promise<Outcome> {
  await using house = await openTokenHouse({ gateways: 0 })
  const { provider, fleet } = house
  const port = await freePort()
  const gateway = await startGatewayProcess(fleet.configurationFile, {
    nodeOptions: [`--import=${join(import.meta.dirname, 'wall-clock.ts')}`],
    environment: { GATEHOUSE_PROVE_CLOCK_PORT: String(port) },
  })
  try {
    await using caller = createCaller(urlsOf([gateway]), 128)
    const { authorization } = fleet
    const scene = { gateway, caller, provider, clock: clockAt(port), authorization }
    const hanging = await compareHanging(scene)
    const away = await stayAway(scene)
    return {
      figure: `${away.figure}; ${hanging.figure}`,
      goal: `${away.goal}; ${hanging.goal}`,
      isMet: away.isMet && hanging.isMet,
    }
  } finally {
    await gateway.kill()
  }
}

function clockAt(port: number): Clock {
  let aheadMs = 0
  return {
    now: () => Date.now() + aheadMs,
    async putForward(ms) {
      await fetch(`http://127.0.0.1:${port}/${ms}`, { method: 'POST' })
      aheadMs += ms
    },
  }
}

const phases = 5
const phaseMs = 6_000
const othersPerSecond = 150
const strangersPerSecond = 10
/** Longer than the pause after any number of failures, so that each phase has its fetch. */
const apartMs = 5 * 60_000
/** Two equal loads on this kind of machine differ by less. */
const toleranceMs = 10

/**
 * In turn: a provider that answers, and one that takes requests and does not. Each phase has its own
 * p99, and the medians are compared: whatever else the machine does spoils a phase, not the whole.
 */
async function compareHanging(scene: Scene): Promise<Outcome> {
  // What is compiled and connected once belongs to neither.
  await loadOthers(scene)
  const [answering, hanging]: [number[], number[]] = [[], []]
  let [failures, held, others] = [0, 0, 0]
  for (let phase = 0; phase < 2 * phases; phase++) {
    scene.provider.hang(phase % 2 === 1)
    const load = await loadOthers(scene)
    ;(phase % 2 === 1 ? hanging : answering).push(percentile(load.latenciesMs, 0.99))
    failures += load.failures
    held += load.held
    others += load.latenciesMs.length
  }
  scene.provider.hang(false)
  const [usual, hung] = [spreadOf(answering), spreadOf(hanging)]
  return {
    figure: `while it hung and held ${count(held)} tokens with unknown keys for more than a second, p99 of other requests was ${told(hung)}, while it answered ${told(usual)}, and ${failures} of ${count(others)} failed`,
    goal: `p99 at most ${toleranceMs} ms more, some held, 0 failed`,
    isMet: hung.median - usual.median <= toleranceMs && held > 0 && failures === 0,
  }
}

function told({ median, min, max }: Spread): string {
  return `${median.toFixed(1)} ms (${min.toFixed(1)} to ${max.toFixed(1)} in ${phases} phases)`
}

/** Requests that need nothing of the provider, beside some that do. */
async function loadOthers({ caller, provider, clock, authorization }: Scene) {
  await clock.putForward(apartMs)
  const latenciesMs: number[] = []
  let [failures, held, turn] = [0, 0, 0]
  const token = (kid?: string): string => {
    const minted = { issuedAtMs: clock.now(), ...(kid === undefined ? {} : { kid }) }
    return `Bearer ${provider.token(minted)}`
  }
  const strangers = openLoop(strangersPerSecond, async () => {
    const beganMs = performance.now()
    const path = '/external/hello'
    await caller.call({ path, authorization: token(`made-up-${turn++}`) })
    if (performance.now() - beganMs > 1_000) held += 1
  })
  const others = openLoop(othersPerSecond, async (dueMs) => {
    const call =
      turn++ % 2 === 0
        ? { path: '/standard/hello', authorization }
        : { path: '/external/hello', authorization: token() }
    if ((await caller.call(call)) !== 200) failures += 1
    latenciesMs.push(performance.now() - dueMs)
  })
  await pause(phaseMs)
  await others.stop()
  await strangers.stop()
  return { latenciesMs, failures, held }
}

const minutes = 60
const tokensPerMinute = 100

async function stayAway({ gateway, caller, provider, clock }: Scene): Promise<Outcome> {
  const call = (kid?: string): Promise<Status> => {
    const minted = { issuedAtMs: clock.now(), ...(kid === undefined ? {} : { kid }) }
    const authorization = `Bearer ${provider.token(minted)}`
    return caller.call({ path: '/external/hello', authorization })
  }
  await provider.goAway()
  const known: Status[] = []
  const unknown: Status[] = []
  for (let minute = 0; minute < minutes; minute++) {
    await clock.putForward(60_000)
    await closedLoop(tokensPerMinute, 16, async () => {
      known.push(await call())
    })
    unknown.push(await call(`made-up-${minute}`))
  }
  const passed = known.filter((status) => status === 200).length
  const refused = unknown.filter((status) => status === 401).length
  const failed = 'keys of an identity provider cannot be fetched'
  const tries = gateway.log.filter(({ msg }) => msg === failed).length
  return {
    figure: `${minutes} min away: ${count(passed)} of ${count(known.length)} tokens with a known key passed, ${refused} of ${unknown.length} with an unknown one were refused for it instead of put off, and ${tries} fetches failed in all`,
    goal: 'all passed, 0 refused',
    isMet: passed === known.length && refused === 0 && tries > 0,
  }
}
