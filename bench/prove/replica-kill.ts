import { createCaller } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { pause } from './load.ts'
import { failuresOf, notGood, orderLoad, type Order } from './orders.ts'
import { openReplicas } from './replicas.ts'

export const replicaKill: Experiment = {
  name: 'replica-kill',
  shows:
    'One of four gateways behind HAProxy is killed (SIGKILL) while orders are posted: only those it was working on fail, none arrives twice, and nobody gets the answer of another',
  accepts: [],
  run: prove,
}

const gateways = 4
const perSecond = 300
/** Long, so that the killed gateway has many under way. */
const takesMs = 200
const phaseMs = 5_000
const kills = 4

/** A gateway that was killed, and when, on the clock of `performance.now`. */
type Kill = { readonly name: string; readonly beganMs: number; readonly goneMs: number }

async function prove(): Promise<Outcome> {
  await using replicas = await openReplicas(gateways, takesMs)
  const { authorization } = replicas.house.fleet
  await using caller = createCaller([replicas.url], 512)
  const load = orderLoad(caller, perSecond, { path: '/shop/orders', authorization })
  const killed: Kill[] = []
  for (const gateway of replicas.gateways.slice(0, kills)) {
    await pause(phaseMs)
    const beganMs = performance.now()
    await gateway.process().kill()
    killed.push({ name: gateway.name, beganMs, goneMs: performance.now() })
    await pause(phaseMs)
    await gateway.start()
  }
  await load.stop()
  const failed = load.orders.filter(({ outcome }) => outcome === 'failed')
  const others = failed.filter(
    (order) =>
      !killed.some((kill) => wasUnderWay(order, replicas.shop.prefixes.get(order.id), kill)),
  )
  const mixedUp = notGood(load.orders).length - failed.length
  const twice = [...replicas.shop.arrivals.values()].filter((times) => times > 1).length
  return {
    figure: `${count(load.orders.length)} orders at ${perSecond}/s over ${killed.length} kills: ${failed.length} failed${failuresOf(failed)}, ${others.length} of them not under way at the killed gateway; ${twice} arrived twice, ${mixedUp} answers went to another`,
    goal: 'none but those under way, 0, 0',
    isMet: others.length === 0 && twice === 0 && mixedUp === 0,
  }
}

/**
 * Sent before the gateway was gone, and not long enough before to have been answered; and where it came
 * to the shop, through that gateway. (Where a connection breaks that was used before, HAProxy breaks the
 * caller's, and neither answers nor logs anything.)
 */
function wasUnderWay({ beganMs }: Order, through: string | undefined, kill: Kill): boolean {
  const isAlive = beganMs <= kill.goneMs
  return (
    (through ?? kill.name) === kill.name &&
    isAlive &&
    beganMs >= kill.beganMs - takesMs - latenessMs
  )
}

/** What an order may take beyond what the shop takes. */
const latenessMs = 1_000
