import { randomUUID } from 'node:crypto'
import { createCaller, urlsOf, type Status } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { closedLoop, openLoop, pause } from './load.ts'
import { openTokenHouse } from './token-house.ts'

export const kidStorm: Experiment = {
  name: 'kid-storm',
  shows:
    'Tokens with made-up key ids make a gateway fetch the key set of their issuer once a cool-down at most, and hold up no token with a known key',
  accepts: [],
  run: prove,
}

const atOnceKids = 5_000
const laterKids = 5_100
const laterMs = 65_000
const coolDownMs = 30_000
/** The gateway counts from when the keys have arrived, the provider from when it was asked. */
const clockMs = 50

async function prove(): Promise<Outcome> {
  await using house = await openTokenHouse({ gateways: 1 })
  const { fleet, provider } = house
  await using caller = createCaller(urlsOf(fleet.gateways), 64)
  const call = (token: string): Promise<Status> =>
    caller.call({ path: '/external/hello', authorization: `Bearer ${token}` })
  const made: Status[] = []
  const known: Status[] = []
  const askBoth = async (index: number): Promise<void> => {
    made.push(await call(provider.token({ kid: randomUUID() })))
    if (index % 10 === 0) known.push(await call(provider.token()))
  }

  known.push(await call(provider.token()))
  await closedLoop(atOnceKids, 64, askBoth)
  let index = 0
  const later = openLoop((laterKids * 1_000) / laterMs, () => askBoth(index++))
  await pause(laterMs)
  await later.stop()

  const gaps = provider.askedAtMs.slice(1).map((ms, i) => ms - (provider.askedAtMs[i] ?? 0))
  const closest = Math.min(...gaps)
  const refused = made.filter((status) => status === 401).length
  const passed = known.filter((status) => status === 200).length
  return {
    figure: `${count(made.length)} key ids made up, ${count(atOnceKids)} of them at once and the others within ${laterMs / 1_000} s: ${provider.askedAtMs.length} fetches of the key set, the closest ${(closest / 1_000).toFixed(1)} s apart; ${count(refused)} refused with 401, and ${count(passed)} of ${count(known.length)} tokens with the known key passed`,
    goal: `at least ${coolDownMs / 1_000} s apart, all refused, all passed`,
    isMet: closest >= coolDownMs - clockMs && refused === made.length && passed === known.length,
  }
}
