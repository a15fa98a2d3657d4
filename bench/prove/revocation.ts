import { createCaller, urlsOf, type Caller } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { pause, percentile } from './load.ts'
import { startNotificationCut, type Cut, type NotificationCut } from './notification-cut.ts'
import { revocable, revocableKinds, type Revocable } from './revocable.ts'
import { openTokenHouse, type TokenHouse } from './token-house.ts'

export const revocation: Experiment = {
  name: 'revocation',
  shows:
    'What a revoked key, a deleted user, a disabled pool and a disabled client open is closed at four gateways at once, and within the lifetime of their caches where no notification arrives',
  accepts: [],
  run: prove,
}

const gateways = 4
const tries = 200
const toldGoalMs = 1_000
const cacheSeconds = 5
const triesEachCut = 25
/** Between two requests of one caller to one gateway. */
const pauseMs = { told: 10, cut: 100 }
/** For the change itself, the asking in between, and a machine that is busy with it. */
const graceMs = 500

/** All that is revoked, told or not, and the callers that ask meanwhile. */
type Scene = {
  readonly house: TokenHouse
  /** One for each gateway. */
  readonly callers: readonly Caller[]
}

async function prove(): Promise<Outcome> {
  await using ends = new AsyncDisposableStack()
  let between: NotificationCut | undefined
  const house = ends.use(
    await openTokenHouse({
      gateways,
      directoryCache: { maxAgeSeconds: cacheSeconds },
      databaseThrough: async (url) => {
        between = ends.use(await startNotificationCut(url))
        return between.url
      },
    }),
  )
  if (between === undefined) throw new Error('Nothing stands before the database')
  const callers = urlsOf(house.fleet.gateways).map((url) => ends.use(createCaller([url], 64)))
  const scene = { house, callers }
  const told = await whenTold(scene)
  const leftOut = await whenCut(scene, between, 'left-out')
  const refused = await whenCut(scene, between, 'refused')
  const toldMs = percentile(told, 0.99)
  const cutGoalMs = cacheSeconds * 1_000 + graceMs
  const longestCutMs = Math.max(...leftOut, ...refused)
  // Nothing was cut where all were refused as quickly as when told.
  const isCut = percentile(leftOut, 0.5) > toldGoalMs && percentile(refused, 0.5) > toldGoalMs
  return {
    figure: `${count(tries)} tries of ${revocableKinds.length} kinds: refused by all ${gateways} gateways within ${toldMs.toFixed(0)} ms (p99; median ${percentile(told, 0.5).toFixed(0)}, longest ${Math.max(...told).toFixed(0)}); of ${triesEachCut} each, with notifications left out at most ${count(Math.max(...leftOut))} ms, with their connections refused ${count(Math.max(...refused))} ms${isCut ? '' : '; notifications were not cut'}`,
    goal: `p99 at most ${count(toldGoalMs)} ms; without notifications at most ${count(cutGoalMs)} ms, of which the cache's lifetime is ${cacheSeconds} s`,
    isMet: toldMs <= toldGoalMs && longestCutMs <= cutGoalMs && isCut,
  }
}

/** One after the other. @returns how long each took, in milliseconds */
async function whenTold({ house, callers }: Scene): Promise<readonly number[]> {
  const took: number[] = []
  for (let n = 0; n < tries; n++) {
    const one = await known(await revocable(house, n), callers)
    took.push(await untilRefused(one, callers, pauseMs.told))
  }
  return took
}

/** All at the same time, each at a moment of its own in the lifetime of what is cached of it. */
async function whenCut(
  { house, callers }: Scene,
  between: NotificationCut,
  how: Cut,
): Promise<readonly number[]> {
  const all: Revocable[] = []
  for (let n = 0; n < triesEachCut; n++) {
    all.push(await known(await revocable(house, n), callers))
  }
  between.cut(how)
  // Whatever was lost is noticed, and all that it made doubtful is read again, before anything changes.
  await pause(2_000)
  try {
    return await Promise.all(
      all.map(async (one, n) => {
        await known(one, callers)
        await pause((n * cacheSeconds * 1_000) / triesEachCut)
        return untilRefused(one, callers, pauseMs.cut)
      }),
    )
  } finally {
    between.cut('none')
    await pause(2_000)
  }
}

/** A caller that every gateway has let in, so that each knows it. */
async function known(one: Revocable, callers: readonly Caller[]): Promise<Revocable> {
  const statuses = await Promise.all(callers.map((caller) => caller.call(one.call)))
  if (statuses.every((status) => status === 200)) return one
  throw new Error(`Before it was revoked, ${one.call.path ?? ''} answered ${statuses.join(', ')}`)
}

/** @returns milliseconds from when the change was asked for until the last gateway refused */
async function untilRefused(
  { call, revoke }: Revocable,
  callers: readonly Caller[],
  betweenMs: number,
): Promise<number> {
  const beganMs = performance.now()
  const asking = callers.map(async (caller) => {
    while ((await caller.call(call)) !== 401) await pause(betweenMs)
    return performance.now() - beganMs
  })
  await revoke()
  const tookMs = Math.max(...(await Promise.all(asking)))
  const again = await Promise.all(callers.map((caller) => caller.call(call)))
  if (again.some((status) => status !== 401)) throw new Error('What was refused was let in again')
  return tookMs
}
