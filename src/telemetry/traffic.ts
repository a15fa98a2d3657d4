import type { AccessRecord } from './access-line.ts'
import { createDurations, type DurationCounts, type Durations } from './durations.ts'

/** What an operation does, by its method; 'none' where the request named no operation. */
export type OperationClass = 'read' | 'write' | 'none'

/** How many requests ended alike. */
export type RequestCount = {
  /** A group's name, or '' where none was found. */
  readonly group: string
  readonly operationClass: OperationClass
  /** '2xx'; '4xx' also where the client went away (499). */
  readonly statusClass: string
  /** As in the access log: 'forwarded', 'client-gone', an error code. */
  readonly verdict: string
  readonly count: number
}

/** How long the requests of a group took. */
export type GroupDurations = {
  readonly group: string
  readonly gateway: DurationCounts
  readonly upstream: DurationCounts
}

/** Requests as they are told by their access records, counted. */
export type Traffic = {
  /** Count a request that has ended. Called for each, so nothing here hashes or makes a label. */
  readonly count: (record: AccessRecord) => void
  readonly requests: () => readonly RequestCount[]
  readonly durations: () => readonly GroupDurations[]
}

type GroupTraffic = Record<OperationClass, VerdictCounts> & {
  readonly gateway: Durations
  readonly upstream: Durations
}

/** By verdict, then by the first digit of the status. */
type VerdictCounts = Map<string, number[]>

/**
 * Count requests by what the catalog and the catalogue of errors name, and by nothing that a caller
 * chooses: whatever is sent, the number of series stays within groups × verdicts.
 */
export function createTraffic(): Traffic {
  const groups = new Map<string, GroupTraffic>()

  function groupOf(name: string): GroupTraffic {
    const known = groups.get(name)
    if (known !== undefined) return known
    const traffic: GroupTraffic = {
      ...{ read: new Map(), write: new Map(), none: new Map() },
      ...{ gateway: createDurations(), upstream: createDurations() },
    }
    groups.set(name, traffic)
    return traffic
  }

  return {
    count(record) {
      const { group = '', verdict = '', status, gatewayMs, upstreamMs } = record
      const traffic = groupOf(String(group))
      countVerdict(traffic[operationClass(record)], String(verdict), Number(status))
      if (typeof gatewayMs === 'number') traffic.gateway.observe(gatewayMs)
      if (typeof upstreamMs === 'number') traffic.upstream.observe(upstreamMs)
    },
    requests: () =>
      [...groups].flatMap(([group, traffic]) =>
        (['read', 'write', 'none'] as const).flatMap((kind) =>
          [...traffic[kind]].flatMap(([verdict, byDigit]) =>
            // A place that was never counted in is a hole, which flatMap passes over.
            byDigit.flatMap((count, digit) => ({
              ...{ group, operationClass: kind, verdict, count },
              statusClass: `${digit}xx`,
            })),
          ),
        ),
      ),
    durations: () =>
      [...groups].map(([group, { gateway, upstream }]) => ({
        group,
        gateway: gateway.read(),
        upstream: upstream.read(),
      })),
  }
}

function countVerdict(counts: VerdictCounts, verdict: string, status: number): void {
  let byDigit = counts.get(verdict)
  if (byDigit === undefined) counts.set(verdict, (byDigit = []))
  const digit = Math.floor(status / 100)
  byDigit[digit] = (byDigit[digit] ?? 0) + 1
}

/** A request that names an operation has one of the methods that documents declare, or HEAD. */
function operationClass({ operation, method }: AccessRecord): OperationClass {
  if (operation === undefined) return 'none'
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 'read' : 'write'
}
