import { abortMs, breakOffMs } from './abandoned.ts'
import { digestOf, download, upload, uploadTo, warmUp } from './bodies.ts'
import { createCaller, urlsOf, type Caller } from './caller.ts'
import type { Experiment, Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { noiseDigest, slowly } from './noise.ts'
import { peakMb, steadyMb } from './resident-memory.ts'

export const bigStreams: Experiment = {
  name: 'big-streams',
  shows:
    '50 bodies at once: 1 GiB each way, 16 MiB for 46 others, one with a slow reader and one with a slow upstream, byte by byte and at constant memory; whoever goes away is missed on the other side at once',
  accepts: [],
  run: prove,
}

const gibibyte = 2 ** 30
const smaller = 2 ** 24
/** Of the smaller ones; two more are slow. */
const smallerEachWay = 23
/** Between two pieces of 64 KiB: a body of 16 MiB takes ten seconds. */
const slowMs = 40
const memoryGoalMegabytes = 100
const abortGoalMs = 250

type Body = { readonly size: number; readonly digest: Promise<string> }

async function prove(): Promise<Outcome> {
  await using house = await openHouse({ gateways: 1, classes: { wide: {} } })
  const { fleet, upstream } = house
  const [gateway] = fleet.gateways
  if (gateway === undefined) throw new Error('There is no gateway')
  const { authorization } = fleet
  await using caller = createCaller(urlsOf([gateway]), 2 * (smallerEachWay + 2))
  await warmUp(caller, authorization, [upload, download], 2 * (smallerEachWay + 2))
  const restMb = await steadyMb(gateway.pid)
  const expected = new Map([gibibyte, smaller].map((size) => [size, noiseDigest(size)]))
  let right = 0
  let bodies: readonly Body[] = []
  const peak = await peakMb(gateway.pid, async () => {
    bodies = all(caller, authorization)
    for (const { size, digest } of bodies) if ((await digest) === expected.get(size)) right += 1
  })
  const aborts = await abortMs(caller, authorization, upstream)
  const brokeMs = await breakOffMs(caller, authorization, upstream)
  const slowest = Math.max(aborts.download, aborts.upload, brokeMs)
  return {
    figure: `${right} of ${bodies.length} bodies at once (1 GiB each way, the others 16 MiB, one read and one taken slowly) are the same by SHA-256, +${(peak - restMb).toFixed(0)} MB resident; an abandoned download was missed after ${aborts.download.toFixed(0)} ms, an abandoned upload after ${aborts.upload.toFixed(0)} ms, an answer that its upstream broke off after ${brokeMs.toFixed(0)} ms`,
    goal: `all, at most +${memoryGoalMegabytes} MB, ${abortGoalMs} ms`,
    isMet:
      right === bodies.length && peak - restMb <= memoryGoalMegabytes && slowest <= abortGoalMs,
  }
}

function all(caller: Caller, authorization: string): readonly Body[] {
  const of = (size: number, kind: typeof upload): Body => ({
    size,
    digest: kind(caller, authorization, size).catch(() => 'broken off'),
  })
  return [
    of(gibibyte, upload),
    of(gibibyte, download),
    of(smaller, readSlowly),
    of(smaller, uploadTo(`/wide/sip/${slowMs}`)),
    ...Array.from({ length: smallerEachWay }, () => of(smaller, upload)),
    ...Array.from({ length: smallerEachWay }, () => of(smaller, download)),
  ]
}

async function readSlowly(caller: Caller, authorization: string, size: number): Promise<string> {
  const response = await caller.open(0, { path: `/wide/download/${size}`, authorization })
  return digestOf(slowly(response.body, slowMs))
}
