import { abortMs, breakOffMs } from './abandoned.ts'
import { download, echo, upload, warmUp } from './bodies.ts'
import { createCaller, urlsOf } from './caller.ts'
import { count, required, type Deployment, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { noiseDigest } from './noise.ts'
import { peakMb, steadyMb } from './resident-memory.ts'

export const streams: Experiment = {
  name: 'streams',
  shows:
    'Bodies of 100 MB pass both ways, several at once, byte by byte and at constant memory, and whoever goes away is missed on the other side at once. A deployment is asked for an operation that echoes a POST',
  accepts: ['url', 'key', 'pid'],
  run: (deployment) => (deployment === undefined ? proveHere() : proveThere(deployment)),
}

const bytes = 100_000_000
const ofEachKind = 3
const memoryGoalMegabytes = 100
const abortGoalMs = 250

async function proveHere(): Promise<Outcome> {
  await using house = await openHouse({ gateways: 1, classes: { wide: {} } })
  const { fleet, upstream } = house
  const [gateway] = fleet.gateways
  if (gateway === undefined) throw new Error('There is no gateway')
  await using caller = createCaller(urlsOf([gateway]), 4 * ofEachKind)
  const { authorization } = fleet
  const kinds = [upload, download, echo('/wide/echo')]
  await warmUp(caller, authorization, kinds, kinds.length * ofEachKind)
  const restMb = await steadyMb(gateway.pid)
  const digests: string[] = []
  const peak = await peakMb(gateway.pid, async () => {
    const all = kinds.flatMap((kind) => Array.from({ length: ofEachKind }, () => kind))
    digests.push(...(await Promise.all(all.map((kind) => kind(caller, authorization, bytes)))))
  })
  const aborts = await abortMs(caller, authorization, upstream)
  const isBroken = Number.isFinite(await breakOffMs(caller, authorization, upstream))
  return {
    ...passed(digests, peak - restMb, [
      `the other side missed an abandoned download after ${aborts.download.toFixed(0)} ms and an abandoned upload after ${aborts.upload.toFixed(0)} ms, and an answer that broke off ${isBroken ? 'broke off' : 'did not break off'} here`,
      `abandoned within ${abortGoalMs} ms`,
      Math.max(aborts.download, aborts.upload) <= abortGoalMs && isBroken,
    ]),
  }
}

async function proveThere(deployment: Deployment): Promise<Outcome> {
  const { urls, authorization, pid } = deployment
  await using caller = createCaller([required(urls[0], 'url')], ofEachKind)
  const digests: string[] = []
  const send = async (): Promise<void> => {
    const all = Array.from({ length: ofEachKind }, () => echo('')(caller, authorization, bytes))
    digests.push(...(await Promise.all(all)))
  }
  if (pid === undefined) {
    await send()
    return passed(digests, undefined)
  }
  const restMb = await steadyMb(pid)
  return passed(digests, (await peakMb(pid, send)) - restMb)
}

/** @param more a figure, a goal, and whether it is met */
function passed(
  digests: readonly string[],
  megabytes: number | undefined,
  more?: readonly [string, string, boolean],
): Outcome {
  const expected = noiseDigest(bytes)
  const right = digests.filter((digest) => digest === expected).length
  const isLean = megabytes === undefined || megabytes <= memoryGoalMegabytes
  const memory = megabytes === undefined ? [] : [`+${megabytes.toFixed(0)} MB resident`]
  return {
    figure: [
      `${right} of ${digests.length} bodies of ${count(bytes / 1_000_000)} MB at once are the same byte by byte`,
      ...memory,
      ...(more === undefined ? [] : [more[0]]),
    ].join(', '),
    goal: [
      'all',
      ...(megabytes === undefined ? [] : [`at most +${memoryGoalMegabytes} MB`]),
      ...(more === undefined ? [] : [more[1]]),
    ].join(', '),
    isMet: right === digests.length && isLean && (more?.[2] ?? true),
  }
}
