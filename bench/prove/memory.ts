import { createCaller, urlsOf } from './caller.ts'
import type { Deployment, Experiment, Outcome } from './experiment.ts'
import { required } from './experiment.ts'
import { openHouse } from './house.ts'
import { pause } from './load.ts'
import { steadyMb } from './resident-memory.ts'

export const memory: Experiment = {
  name: 'memory',
  shows: 'What a gateway at rest takes, with PostgreSQL and Redis outside of it',
  accepts: ['pid'],
  run: (deployment) => (deployment === undefined ? proveHere() : proveThere(deployment)),
}

const goalMegabytes = 130
const settleMs = 10_000
const limits = { requests: 1_000_000, windowSeconds: 3_600, concurrent: 1_000 }

async function proveHere(): Promise<Outcome> {
  await using house = await openHouse({
    gateways: 1,
    classes: { wide: { user: limits, organization: limits } },
  })
  const { fleet } = house
  const [gateway] = fleet.gateways
  if (gateway === undefined) throw new Error('There is no gateway')
  {
    await using caller = createCaller(urlsOf([gateway]), 1)
    await caller.call({ path: '/wide/hello', authorization: fleet.authorization })
  }
  await pause(settleMs)
  return outcome(await steadyMb(gateway.pid), `${settleMs / 1_000} s after its first request`)
}

async function proveThere(deployment: Deployment): Promise<Outcome> {
  return outcome(await steadyMb(required(deployment.pid, 'pid')), 'now')
}

function outcome(megabytes: number, when: string): Outcome {
  return {
    figure: `${megabytes.toFixed(1)} MB resident ${when}`,
    goal: `at most ${goalMegabytes} MB`,
    isMet: megabytes <= goalMegabytes,
  }
}
