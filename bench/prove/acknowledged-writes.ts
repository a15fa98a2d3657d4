import { until } from '../../test/support/until.ts'
import type { GatewayProcess } from '../../test/support/gateway-process.ts'
import { createApiClient, serviceAccounts, statusOf, type ApiClient } from './api-client.ts'
import { accountsIn } from './database-ids.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse, type House } from './house.ts'
import { pause } from './load.ts'

export const acknowledgedWrites: Experiment = {
  name: 'acknowledged-writes',
  shows:
    'Every change that was acknowledged before a gateway or PostgreSQL was killed (SIGKILL) in the midst of changes is there afterwards, with its event of the audit; what was not acknowledged is there with its event or not at all',
  accepts: [],
  run: prove,
}

/** A gateway takes three times as long to be back as PostgreSQL does. */
const rounds = { gateway: 70, postgres: 130 }
const writers = 4
const longestMs = 60

const victims = ['gateway', 'postgres'] as const
type Victim = (typeof victims)[number]

async function prove(): Promise<Outcome> {
  await using house = await openHouse({
    gateways: 1,
    classes: { standard: {} },
    services: ['iam'],
    configuration: { publicOrigin: 'https://api.test' },
  })
  const stage = createStage(house)
  const acknowledged: string[] = []
  let torn = 0
  for (const victim of victims) {
    for (let round = 0; round < rounds[victim]; round++) {
      const written = await killAmidWrites(stage, victim, round)
      acknowledged.push(...written.acknowledged)
      torn += written.unanswered
    }
    // What is started ahead would not find its database.
    await stage.settled()
  }
  const { there, noted } = await accountsIn(house)
  const lost = acknowledged.filter((id) => !there.has(id)).length
  const apart = [...there].filter((id) => !noted.has(id)).length
  const phantom = [...noted].filter((id) => !there.has(id)).length
  return {
    figure: `${rounds.gateway} kills of the gateway and ${rounds.postgres} of PostgreSQL amid ${count(acknowledged.length + torn)} changes: of ${count(acknowledged.length)} acknowledged ${lost} lost; ${count(torn)} were not acknowledged; ${apart} without an event, ${phantom} events of nothing`,
    goal: 'none lost, none half done',
    isMet:
      lost + apart + phantom === 0 &&
      acknowledged.length >= rounds.gateway + rounds.postgres &&
      torn > 0,
  }
}

/** The gateway that is written to now: killed ones have successors. */
type Stage = {
  readonly house: House
  readonly call: ApiClient
  /** SIGKILL, and another takes its place. */
  replaceGateway(): Promise<void>
  /** Resolves when no gateway is being started. */
  settled(): Promise<unknown>
}

function createStage(house: House): Stage {
  const [first] = house.fleet.gateways
  if (first === undefined) throw new Error('There is no gateway')
  let gateway: GatewayProcess = first
  // Started ahead, since a start takes longer than all the rest of a round.
  let next = house.fleet.start()
  return {
    house,
    call: createApiClient(() => [`http://127.0.0.1:${gateway.port}`], house.fleet.authorization),
    async replaceGateway() {
      await gateway.kill()
      gateway = await next
      next = house.fleet.start()
    },
    settled: () => next,
  }
}

type Written = { readonly acknowledged: readonly string[]; readonly unanswered: number }

/** Write without a pause until what was killed is missed. */
async function killAmidWrites(stage: Stage, victim: Victim, round: number): Promise<Written> {
  const acknowledged: string[] = []
  let unanswered = 0
  const writing = Array.from({ length: writers }, async (_, writer) => {
    for (let n = 0; ; n++) {
      const body = { display_name: `account ${victim} ${round}-${writer}-${n}` }
      const answer = await stage
        .call({ method: 'POST', path: serviceAccounts, body })
        .catch(() => undefined)
      if (answer?.status !== 201) {
        unanswered += 1
        return
      }
      acknowledged.push(answer.body.id ?? '')
    }
  })
  // At the earliest when a change has been acknowledged, so that each round can lose one.
  await until(() => acknowledged.length > 0, 10_000)
  await pause(Math.random() * longestMs)
  await Promise.all([takeAway(stage, victim), ...writing])
  await until(async () => (await statusOf(stage.call({ path: serviceAccounts }))) === 200, 20_000)
  return { acknowledged, unanswered }
}

async function takeAway(stage: Stage, victim: Victim): Promise<void> {
  if (victim === 'gateway') await stage.replaceGateway()
  else await stage.house.postgres.restart()
}
