import { createCaller } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { pause } from './load.ts'
import { failuresOf, notGood, orderLoad } from './orders.ts'
import { openReplicas, type Replica } from './replicas.ts'

export const rollingRestart: Experiment = {
  name: 'rolling-restart',
  shows:
    'Four gateways behind HAProxy are restarted one after the other, again and again, while orders are posted: none fails, arrives twice or gets the answer of another',
  accepts: [],
  run: prove,
}

const gateways = 4
const perSecond = 300
const requests = 20_000
const takesMs = 20
/** For HAProxy to see that a gateway is back, before the next one goes. */
const settleMs = 1_000

async function prove(): Promise<Outcome> {
  await using replicas = await openReplicas(gateways, takesMs)
  const { authorization } = replicas.house.fleet
  await using caller = createCaller([replicas.url], 256)
  const load = orderLoad(caller, perSecond, { path: '/shop/orders', authorization })
  const exits: (number | null)[] = []
  for (let turn = 0; load.begun() < requests; turn += 1) {
    const gateway = replicas.gateways[turn % gateways]
    if (gateway !== undefined) exits.push(await restart(gateway))
    await pause(settleMs)
  }
  await load.stop()
  const failed = notGood(load.orders).length
  const twice = [...replicas.shop.arrivals.values()].filter((times) => times > 1).length
  const dirty = exits.filter((code) => code !== 0).length
  return {
    figure: `${count(failed)} of ${count(load.orders.length)} orders at ${perSecond}/s failed${failuresOf(load.orders)} and ${twice} arrived twice over ${exits.length} restarts, ${dirty} of which did not end with exit code 0`,
    goal: `0 of ${count(requests)}, each of ${gateways} restarted`,
    isMet: failed === 0 && twice === 0 && dirty === 0 && exits.length >= gateways,
  }
}

/** @returns the exit code of the process that went */
async function restart(gateway: Replica): Promise<number | null> {
  const old = gateway.process()
  old.terminate()
  const code = await old.exit()
  await gateway.start()
  return code
}
