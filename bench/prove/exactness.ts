import { createCaller, urlsOf, type Caller, type Status } from './caller.ts'
import { count, required, type Deployment, type Experiment, type Outcome } from './experiment.ts'
import { openHouse, type User } from './house.ts'
import { closedLoop, pause } from './load.ts'
import { countedForUsers } from './redis-keys.ts'

export const exactness: Experiment = {
  name: 'exactness',
  shows:
    'Several gateways on one Redis admit exactly as many requests in a window as the limit allows, per user and per organization, and what users are charged adds up to the organization',
  accepts: ['url', 'key', 'limit', 'window'],
  run: (deployment) => (deployment === undefined ? proveHere() : proveThere(deployment)),
}

const limit = 1_000
const attempts = 20_000
const gateways = 4
const connectionsPerGateway = 16
const organizationUsers = 10

/** No window resets meanwhile. */
const window = { requests: limit, windowSeconds: 3_600 }

async function proveHere(): Promise<Outcome> {
  await using house = await openHouse({
    gateways,
    classes: { user: { user: window }, organization: { user: window, organization: window } },
    // Redis is not to fail here, however busy the machine is.
    redis: { commandTimeoutMs: 5_000 },
  })
  const { fleet, upstream, redis } = house
  const users = await house.addUsers(organizationUsers)
  await using caller = createCaller(urlsOf(fleet.gateways), connectionsPerGateway)
  const first = { id: fleet.userId, authorization: fleet.authorization }
  const refusedAlone = await attempt(caller, '/user/hello', [first])
  const countedAlone = await countedForUsers(redis.url)
  const refusedTogether = await attempt(caller, '/organization/hello', users)
  const counted = (await countedForUsers(redis.url)) - countedAlone

  const alone = upstream.arrivals.get(first.id) ?? 0
  const together = users.reduce((sum, { id }) => sum + (upstream.arrivals.get(id) ?? 0), 0)
  const others = 2 * attempts - alone - together - refusedAlone - refusedTogether
  return {
    figure: `${count(gateways)} gateways, ${count(attempts)} attempts each: ${count(alone)} of one user and ${count(together)} of ${organizationUsers} users of one organization reached the upstream, the users are charged ${count(counted)}, ${count(others)} neither admitted nor refused`,
    goal: `exactly ${count(limit)}, ${count(limit)}, ${count(limit)} and 0`,
    isMet: alone === limit && together === limit && counted === limit && others === 0,
  }
}

/** Let users ask in turn. @returns how many requests were refused with 429 */
async function attempt(caller: Caller, path: string, users: readonly User[]): Promise<number> {
  let refused = 0
  await closedLoop(attempts, gateways * connectionsPerGateway, async (index) => {
    const { authorization = '' } = users[index % users.length] ?? {}
    const status = await caller.call({ path, authorization })
    if (status === 429) refused += 1
  })
  return refused
}

/** Of a window, this share is used: the rest is for answers that are still on their way. */
const usedShare = 0.8
const deadlineMs = 240_000

/** Count at the caller, within one window: that of the first request after an earlier one has reset. */
async function proveThere(deployment: Deployment): Promise<Outcome> {
  const { urls, authorization } = deployment
  const expected = required(deployment.limit, 'limit')
  const windowMs = required(deployment.windowSeconds, 'window') * 1_000
  await using caller = createCaller(urls, connectionsPerGateway)
  await untilReset(caller, authorization)
  const endMs = performance.now() + Math.min(windowMs * usedShare, deadlineMs)
  const statuses: Status[] = []
  const atOnce = urls.length * connectionsPerGateway
  await closedLoop(expected * 20, atOnce, async () => {
    if (performance.now() < endMs) statuses.push(await caller.call({ authorization }))
  })
  const admitted = statuses.filter((status) => status !== undefined && status < 400).length
  const refused = statuses.filter((status) => status === 429).length
  const others = statuses.length - admitted - refused
  const isEnough = refused > 0
  return {
    figure: `${count(admitted)} of ${count(statuses.length)} attempts at ${urls.length} URLs admitted, ${count(others)} neither admitted nor refused${isEnough ? '' : '; the limit was not reached within the window'}`,
    goal: `exactly ${count(expected)} and 0`,
    isMet: isEnough && admitted === expected && others === 0,
  }
}

async function untilReset(caller: Caller, authorization: string): Promise<void> {
  const { statusCode, headers, body } = await caller.open(0, { authorization })
  await body.dump()
  const reset = Number(headers['x-ratelimit-reset'])
  if (Number.isNaN(reset)) throw new Error(`There is no X-RateLimit-Reset in the ${statusCode}`)
  if (reset * 1_000 > deadlineMs) throw new Error(`The window resets in ${reset} s only`)
  await pause(reset * 1_000 + 100)
}
