import { createHash } from 'node:crypto'
import { setTimeout as pauseOrAbort } from 'node:timers/promises'
import { Readable } from 'node:stream'
import { until } from '../../test/support/until.ts'
import { createCaller, urlsOf, type Caller } from './caller.ts'
import { count, required, type Deployment, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { noise, noiseDigest } from './noise.ts'
import { peakMb, steadyMb } from './resident-memory.ts'
import type { Upstream } from './upstream.ts'

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
  // What is compiled and allocated once is no cost of a large body.
  for (const kind of kinds) await kind(caller, authorization, bytes / 100)
  const restMb = await steadyMb(gateway.pid)
  const digests: string[] = []
  const peak = await peakMb(gateway.pid, async () => {
    const all = kinds.flatMap((kind) => Array.from({ length: ofEachKind }, () => kind))
    digests.push(...(await Promise.all(all.map((kind) => kind(caller, authorization, bytes)))))
  })
  const aborts = await abortMs(caller, authorization, upstream)
  const isBroken = await upstreamBreaksOff(caller, authorization)
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

/** Pass a body and tell the SHA-256 of what arrived at the far end, in hex. */
type Kind = (caller: Caller, authorization: string, size: number) => Promise<string>

const upload: Kind = async (caller, authorization, size) => {
  const path = '/wide/upload'
  const body = Readable.from(noise(size), { objectMode: false })
  const response = await caller.open(0, { path, authorization, method: 'POST', body })
  return response.body.text()
}

const download: Kind = async (caller, authorization, size) => {
  const response = await caller.open(0, { path: `/wide/download/${size}`, authorization })
  return digestOf(response.body)
}

function echo(path: string): Kind {
  return async (caller, authorization, size) => {
    const body = Readable.from(noise(size), { objectMode: false })
    const response = await caller.open(0, { path, authorization, method: 'POST', body })
    return digestOf(response.body)
  }
}

async function digestOf(body: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of body) hash.update(piece as Buffer)
  return hash.digest('hex')
}

/** How long the upstream takes to hear that a caller went away in the middle of a body. */
async function abortMs(caller: Caller, authorization: string, upstream: Upstream) {
  const idle = (): boolean => upstream.inFlight() === 0
  const timed = async (abandon: () => void): Promise<number> => {
    const startMs = performance.now()
    abandon()
    await until(idle).catch(() => undefined)
    return performance.now() - startMs
  }
  await until(idle)
  const { body } = await caller.open(0, { path: `/wide/download/${bytes}`, authorization })
  body.on('error', () => undefined)
  const download = await timed(() => body.destroy())

  const abort = new AbortController()
  const endless = Readable.from(slowly(abort.signal), { objectMode: false })
  const options = { path: '/wide/upload', authorization, method: 'POST', body: endless } as const
  const answer = caller.open(0, { ...options, signal: abort.signal }).catch(() => undefined)
  await until(() => !idle())
  const upload = await timed(() => {
    abort.abort()
  })
  await answer
  return { download, upload }
}

async function* slowly(signal: AbortSignal): AsyncGenerator<Buffer> {
  for (const piece of noise(bytes)) {
    if (signal.aborted) return
    yield piece
    await pauseOrAbort(10)
  }
}

/** Whether the caller can tell an answer that its upstream did not finish from a whole one. */
async function upstreamBreaksOff(caller: Caller, authorization: string): Promise<boolean> {
  try {
    const response = await caller.open(0, { path: `/wide/break/${bytes}`, authorization })
    await digestOf(response.body)
    return false
  } catch {
    return true
  }
}
