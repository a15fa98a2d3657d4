import { ratioOf, resolutionOf, spreadOf } from '../statistics.ts'
import { cpuMicrosOf } from '../proc.ts'
import { createCaller, urlsOf, type Caller } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { startIdentityProvider } from './identity-provider.ts'
import { closedLoop } from './load.ts'
import { exchange, openTokenHouse, trust, type TokenHouse } from './token-house.ts'

export const tokenCost: Experiment = {
  name: 'token-cost',
  shows:
    'What a request by a token takes of the CPU beside one by an API key, once the token is known and when it is first seen',
  accepts: [],
  run: prove,
}

const rounds = 10
const requestsPerWindow = 1_000
const warmUpRequests = 4_000
const atOnce = 50
const ratioGoal = 1.25
const firstSeenGoalMicros = 400

/** What is asked with: each makes the Authorization values of one window. */
type Contestants = Readonly<Record<string, Contestant>>
type Contestant = {
  readonly path: string
  readonly authorizations: (count: number) => readonly string[]
}

async function prove(): Promise<Outcome> {
  await using house = await openTokenHouse({ gateways: 1 })
  await using rsa = await startIdentityProvider('RS256')
  await trust(house, rsa, rsa.issuer)
  const [gateway] = house.fleet.gateways
  if (gateway === undefined) throw new Error('There is no gateway')
  await using caller = createCaller(urlsOf([gateway]), atOnce)
  const contestants = await contestantsOf(house, rsa.token)
  for (const one of Object.values(contestants))
    await cpuMicros(caller, gateway.pid, one, warmUpRequests)
  const micros = new Map<string, number[]>(Object.keys(contestants).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const all = Object.entries(contestants)
    // Every other round backwards, so that nobody always follows the same one.
    for (const [name, one] of round % 2 === 0 ? all : all.toReversed())
      micros.get(name)?.push(await cpuMicros(caller, gateway.pid, one, requestsPerWindow))
  }
  return outcomeOf((name) => micros.get(name) ?? [])
}

function outcomeOf(micros: (name: string) => readonly number[]): Outcome {
  const median = (name: string): number => spreadOf(micros(name)).median
  const ratio = (name: string): number => ratioOf(micros(name), micros('basic')).median
  const [external, sts] = [ratio('external'), ratio('sts')]
  const blur = resolutionOf(ratioOf(micros('basic again'), micros('basic'))).median
  const [es256, rs256] = [median('first-seen ES256'), median('first-seen RS256')]
  return {
    figure: `${count(median('basic'))} µs of CPU a request by an API key, ${external.toFixed(2)} times as much by a known external token, ${sts.toFixed(2)} times by a known STS token, A/A ${(blur * 100).toFixed(1)} %; a whole request by a first-seen token ${count(es256)} µs (ES256) and ${count(rs256)} µs (RS256), medians of ${rounds} windows`,
    goal: `at most ${ratioGoal} times, at most ${firstSeenGoalMicros} µs`,
    isMet: Math.max(external, sts) <= ratioGoal && Math.max(es256, rs256) <= firstSeenGoalMicros,
  }
}

async function contestantsOf(house: TokenHouse, rsaToken: () => string): Promise<Contestants> {
  const { provider, poolId, fleet } = house
  const [url = ''] = urlsOf(fleet.gateways)
  const external = provider.token()
  const sts = await exchange(url, external, poolId)
  const basic = same('/standard/hello', fleet.authorization)
  return {
    basic,
    external: same('/external/hello', `Bearer ${external}`),
    'first-seen ES256': fresh(() => provider.token()),
    'first-seen RS256': fresh(rsaToken),
    sts: same('/sts/hello', `Bearer ${sts}`),
    'basic again': basic,
  }
}

function same(path: string, authorization: string): Contestant {
  return { path, authorizations: (times) => Array.from({ length: times }, () => authorization) }
}

function fresh(token: () => string): Contestant {
  return {
    path: '/external/hello',
    authorizations: (times) => Array.from({ length: times }, () => `Bearer ${token()}`),
  }
}

/** @returns microseconds that all threads of the gateway were on a CPU, for each request */
async function cpuMicros(
  caller: Caller,
  pid: number,
  { path, authorizations }: Contestant,
  requests: number,
): Promise<number> {
  const values = authorizations(requests)
  const before = cpuMicrosOf([pid])
  await closedLoop(requests, atOnce, async (index) => {
    const status = await caller.call({ path, authorization: values[index] ?? '' })
    if (status !== 200) throw new Error(`${path} answered ${status ?? 'nothing'}`)
  })
  return (cpuMicrosOf([pid]) - before) / requests
}
