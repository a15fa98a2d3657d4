import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCaller, urlsOf, type Caller, type Status } from '../../bench/prove/caller.ts'
import { startNotificationCut, type NotificationCut } from '../../bench/prove/notification-cut.ts'
import { revocable, revocableKinds, type Revocable } from '../../bench/prove/revocable.ts'
import { openTokenHouse, type TokenHouse } from '../../bench/prove/token-house.ts'
import { until } from '../support/until.ts'

/** What is guaranteed where changes are told. */
const guaranteedMs = 1_000

/** After this a record is read again though nobody told of a change. */
const cacheSeconds = 2

let house: TokenHouse
let between: NotificationCut
let callers: readonly Caller[]

beforeAll(async () => {
  house = await openTokenHouse({
    gateways: 4,
    directoryCache: { maxAgeSeconds: cacheSeconds },
    databaseThrough: async (url) => {
      between = await startNotificationCut(url)
      return between.url
    },
  })
  callers = urlsOf(house.fleet.gateways).map((url) => createCaller([url], 4))
})
afterAll(async () => {
  for (const caller of callers) await caller[Symbol.asyncDispose]()
  await house[Symbol.asyncDispose]()
  await between[Symbol.asyncDispose]()
})

function everywhere({ call }: Revocable): Promise<readonly Status[]> {
  return Promise.all(callers.map((caller) => caller.call(call)))
}

async function isRefusedEverywhere(one: Revocable): Promise<boolean> {
  return (await everywhere(one)).every((status) => status === 401)
}

/** On a busy machine a first look-up may be put off (503). */
async function isAcceptedEverywhere(one: Revocable): Promise<boolean> {
  return (await everywhere(one)).every((status) => status === 200)
}

const kinds = revocableKinds.map((kind, n) => [kind, n] as const)

describe('where changes are told', () => {
  test.each(kinds)('four gateways refuse within a second: %s', async (_kind, n) => {
    const one = await revocable(house, n)
    await until(() => isAcceptedEverywhere(one))
    await one.revoke()
    await until(() => isRefusedEverywhere(one), guaranteedMs)
    expect(await everywhere(one)).toEqual([401, 401, 401, 401])
  })
})

describe.each(['left-out', 'refused'] as const)('where notifications are %s', (how) => {
  test('four gateways refuse all the same, once what they have cached is old', async () => {
    const all = await Promise.all(kinds.map(([, n]) => revocable(house, n)))
    between.cut(how)
    for (const one of all) await until(() => isAcceptedEverywhere(one))
    for (const one of all) await one.revoke()
    // Nobody was told, and what was read a moment ago is believed.
    for (const one of all) await until(() => isRefusedEverywhere(one))
    between.cut('none')
  })
})
