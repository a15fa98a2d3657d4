import { createCaller } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { digestOf } from './bodies.ts'
import { pause } from './load.ts'
import { noiseDigest } from './noise.ts'
import { failuresOf, notGood, orderLoad } from './orders.ts'
import { openReplicas } from './replicas.ts'
import { trickleBytes } from './upstream.ts'

export const drain: Experiment = {
  name: 'drain',
  shows:
    'A gateway is told to end (SIGTERM) while orders and 20 streams pass through it, with another beside it behind HAProxy: no order fails, and the streams end whole',
  accepts: [],
  run: prove,
}

const perSecond = 300
const streams = 20
const takesMs = 20
/** The streams take ten seconds, of which half are left when the signal comes. */
const pieces = 100
const beforeMs = 5_000
const afterMs = 3_000

async function prove(): Promise<Outcome> {
  await using replicas = await openReplicas(2, takesMs)
  const { authorization } = replicas.house.fleet
  const [leaving] = replicas.gateways
  if (leaving === undefined) throw new Error('There is no gateway')
  await using caller = createCaller([replicas.url], 256)
  await using streamCaller = createCaller([leaving.url], streams)
  const load = orderLoad(caller, perSecond, { path: '/shop/orders', authorization })
  const path = `/wide/trickle/${pieces}`
  const digests = Array.from({ length: streams }, () =>
    streamCaller
      .open(0, { path, authorization })
      .then(
        ({ body }) => digestOf(body),
        () => 'no answer',
      )
      .catch(() => 'broken off'),
  )
  await pause(beforeMs)
  leaving.process().terminate()
  const signalledMs = performance.now()
  const code = await leaving.process().exit()
  const tookMs = performance.now() - signalledMs
  await pause(afterMs)
  await load.stop()
  const expected = noiseDigest(trickleBytes(pieces))
  const whole = (await Promise.all(digests)).filter((digest) => digest === expected).length
  const failed = notGood(load.orders).length
  return {
    figure: `${count(failed)} of ${count(load.orders.length)} orders at ${perSecond}/s failed${failuresOf(load.orders)}, ${whole} of ${streams} streams ended whole, exit code ${code ?? 'none'} ${(tookMs / 1_000).toFixed(1)} s after SIGTERM`,
    goal: `0 failed, all ${streams} whole, exit code 0`,
    isMet: failed === 0 && whole === streams && code === 0,
  }
}
