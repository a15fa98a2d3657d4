import { createApiClient, serviceAccounts, type ApiClient } from './api-client.ts'
import { urlsOf } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { closedLoop } from './load.ts'

export const lostUpdates: Experiment = {
  name: 'lost-updates',
  shows:
    'Of two callers that change one object at different gateways, one wins and the other is told; of many that count in one object, no count is lost',
  accepts: [],
  run: prove,
}

const gateways = 4
const pairs = 300
const increments = 400
const counters = 4

async function prove(): Promise<Outcome> {
  await using house = await openHouse({
    gateways,
    classes: { standard: {} },
    services: ['iam'],
    configuration: { publicOrigin: 'https://api.test' },
  })
  const urls = urlsOf(house.fleet.gateways)
  const call = createApiClient(() => urls, house.fleet.authorization)
  const path = await createAccount(call)
  const duels = await duel(call, path)
  const tally = await countTogether(call, path)
  return {
    figure: `${count(pairs)} pairs of changes at once: ${count(duels.decided)} had one winner, and were what it wrote; ${counters} callers counted to ${count(tally.final)} with ${count(tally.won)} changes that won and ${count(tally.lost)} that were told they had lost; ${tally.other + duels.other} other answers`,
    goal: `all decided, every change that won counted, 0 others`,
    isMet:
      duels.decided === pairs &&
      tally.final === tally.won &&
      tally.won === increments &&
      tally.other + duels.other === 0,
  }
}

async function createAccount(call: ApiClient): Promise<string> {
  const body = { display_name: 'contended', description: '0' }
  const { status, body: made } = await call({ method: 'POST', path: serviceAccounts, body })
  if (status !== 201) throw new Error(`A service account was answered ${status}`)
  return `${serviceAccounts}/${made.id ?? ''}`
}

/** Two at a time, from one reading. */
async function duel(call: ApiClient, path: string): Promise<{ decided: number; other: number }> {
  let decided = 0
  let other = 0
  for (let round = 0; round < pairs; round++) {
    const { etag } = await call({ path }, round)
    const texts = [`left ${round}`, `right ${round}`]
    const statuses = await Promise.all(
      texts.map(async (description, side) => {
        const body = { description }
        const patch = { method: 'PATCH', path, body, ifMatch: etag } as const
        return (await call(patch, round + side)).status
      }),
    )
    other += statuses.filter((status) => status !== 200 && status !== 412).length
    const { body } = await call({ path }, round + 2)
    const hasOneWinner = statuses.toSorted().join() === '200,412'
    if (hasOneWinner && body.description === texts[statuses.indexOf(200)]) decided += 1
  }
  return { decided, other }
}

/** Read a number, write the next: whoever was overtaken tries again. */
async function countTogether(call: ApiClient, path: string) {
  await call({ method: 'PATCH', path, body: { description: '0' } })
  const tally = { won: 0, lost: 0, other: 0 }
  await closedLoop(counters, counters, async (counter) => {
    while (tally.won < increments) {
      const { etag, body } = await call({ path }, counter)
      const next = Number(body.description) + 1
      if (next > increments) return
      const change = { description: String(next) }
      const { status } = await call({ method: 'PATCH', path, body: change, ifMatch: etag }, counter)
      if (status === 200) tally.won += 1
      else if (status === 412) tally.lost += 1
      else tally.other += 1
    }
  })
  const { body } = await call({ path })
  return { ...tally, final: Number(body.description) }
}
