import { createRandom, mutate, type Random } from '../../test/fuzz/mutate.ts'
import { volley } from '../../test/fuzz/volley.ts'
import { createCaller, urlsOf } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { closedLoop } from './load.ts'
import { failuresIn, requestsIn, steadyLoad } from './steady-load.ts'

export const hostile: Experiment = {
  name: 'hostile',
  shows:
    '10,000 malformed requests arrive beside honest ones: the gateway runs on, nothing of them is forwarded, and honest callers notice nothing',
  accepts: [],
  run: prove,
}

const attacks = 10_000
const atOnce = 24
const honestPerSecond = 100
const successGoal = 0.999

async function prove(): Promise<Outcome> {
  await using house = await openHouse({ gateways: 1, classes: { open: {} } })
  const { fleet, upstream } = house
  const [gateway] = fleet.gateways
  const [attacker] = await house.addUsers(1)
  if (gateway === undefined || attacker === undefined) throw new Error('There is nobody to attack')
  await using caller = createCaller(urlsOf(fleet.gateways), 32)
  const call = { path: '/open/hello', authorization: fleet.authorization }
  const load = steadyLoad(caller, honestPerSecond, call)
  const honest = load.phase(call)
  const random = createRandom(1)
  let unanswered = 0
  await closedLoop(attacks, atOnce, async () => {
    const received = await volley(gateway.port, malformed(random, attacker.authorization))
    if (!received.startsWith('HTTP/1.1 ')) unanswered += 1
  })
  await load.stop()

  const asked = requestsIn([honest])
  const success = 1 - failuresIn([honest]) / asked
  const forwarded = [...upstream.arrivals].filter(([principal]) => principal !== fleet.userId)
  const passed = forwarded.reduce((sum, [, times]) => sum + times, 0)
  const isAlive = runs(gateway.pid)
  return {
    figure: `${count(attacks)} malformed requests (${count(unanswered)} left without an answer): ${isAlive ? 'runs on' : 'ended'}, ${passed} forwarded; ${(success * 100).toFixed(2)} % of ${count(asked)} honest requests succeeded`,
    goal: `runs on, 0 forwarded, at least ${successGoal * 100} %`,
    isMet: isAlive && passed === 0 && success >= successGoal,
  }
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    // There is no such process any more.
    return false
  }
}

/** Half of them broken in a way that no reader may overlook, half mutated without a good credential. */
function malformed(random: Random, authorization: string): string {
  if (random.below(2) === 0) return broken(random, authorization)
  const corpus = [
    `GET /open/hello?a=b HTTP/1.1\r\nHost: a\r\nAuthorization: Basic Zm9yZ2VkOmZvcmdlZA==\r\n\r\n`,
    'POST /open/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'POST /open/upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  ]
  return mutate(random.pick(corpus), random, corpus)
}

function broken(random: Random, authorization: string): string {
  const field = random.pick(brokenFields)
  const padding = `X-Padding: ${'p'.repeat(random.below(200))}\r\n`
  const sound = `GET /open/hello HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`
  const head = `POST /open/echo HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n`
  return `${head}${padding}${field}\r\n\r\n5\r\nhello\r\n0\r\n\r\n${sound}`
}

/** With each of these, two readers could differ about what the request is or where it ends. */
const brokenFields = [
  'Transfer-Encoding: chunked\r\nContent-Length: 5',
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: 5, 5',
  'Content-Length: +5',
  'Content-Length: 0x5',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding: ,chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding: chunked\r\n folded',
  'X: a\0b',
  'X: a\nY: b',
  'X: a\rY: b',
  'X Y: b',
  'X',
  'Host: b',
  'Host: a',
  'Authorization: Basic Zm9yZ2VkOmZvcmdlZA==',
  'Expect: 200-ok',
  'Connection: Upgrade\r\nUpgrade: websocket',
  'X: y\r\n'.repeat(150).trim(),
  `X: ${'y'.repeat(20_000)}`,
]
