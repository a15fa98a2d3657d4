import { table } from '../src/cli/table.ts'
import { entrants, twinName } from './field.ts'
import type { Window } from './measure.ts'
import type { Rounds } from './rounds.ts'
import { ratioOf, resolutionOf, spreadOf, type Spread } from './statistics.ts'

/** The contestants that others are compared with. */
const bases = ['nginx', 'nginx-lua', 'fastify'] as const

type Figure = keyof Window

function figures(rounds: Rounds, name: string, figure: Figure): readonly number[] {
  return (rounds.get(name) ?? []).map((window) => window[figure])
}

/** Medians of every contestant, as a table. */
export function loadReport(rounds: Rounds): string {
  const headings = [
    'CONTESTANT',
    'CPU µs',
    'Redis µs',
    'sum',
    'requests/s',
    'p50 ms',
    'p99 ms',
    'RSS MB',
  ]
  const rows = [...rounds.keys()].map((name) => {
    const of = (figure: Figure): Spread => spreadOf(figures(rounds, name, figure))
    const [cpu, redis] = [of('cpuMicrosPerRequest'), of('redisMicrosPerRequest')]
    return [
      name,
      withSpread(cpu, 1),
      redis.median.toFixed(1),
      (cpu.median + redis.median).toFixed(1),
      of('requestsPerSecond').median.toFixed(0),
      of('p50Ms').median.toFixed(2),
      of('p99Ms').median.toFixed(2),
      of('rssMb').median.toFixed(0),
    ]
  })
  return table(headings, rows)
}

/** How many times as much CPU each took as the bases: of the contestant alone, and with Redis. */
export function ratioReport(rounds: Rounds): string {
  const present = bases.filter((base) => rounds.has(base))
  const headings = [
    'CPU',
    ...present.map((base) => `× ${base}`),
    ...present.map((base) => `with Redis × ${base}`),
  ]
  const rows = [...rounds.keys()].map((name) => [
    name,
    ...present.map((base) => withSpread(ratioOf(cpu(rounds, name), cpu(rounds, base)), 2)),
    ...present.map((base) => withSpread(ratioOf(whole(rounds, name), whole(rounds, base)), 2)),
  ])
  return table(headings, rows)
}

function cpu(rounds: Rounds, name: string): readonly number[] {
  return figures(rounds, name, 'cpuMicrosPerRequest')
}

/** CPU of the contestant and of Redis for it. */
function whole(rounds: Rounds, name: string): readonly number[] {
  return (rounds.get(name) ?? []).map(
    ({ cpuMicrosPerRequest, redisMicrosPerRequest }) => cpuMicrosPerRequest + redisMicrosPerRequest,
  )
}

/** What the run can tell apart, by the pair of two equal gateways. */
export function resolutionReport(rounds: Rounds): string {
  if (!rounds.has(twinName)) return ''
  const pair = ratioOf(cpu(rounds, twinName), cpu(rounds, 'gatehouse'))
  const { median, round } = resolutionOf(pair)
  const percent = (share: number): string => (share * 100).toFixed(1)
  return `A/A: ${twinName}, which equals gatehouse, took ${withSpread(pair, 3)} × its CPU. What this run cannot tell apart: medians within ${percent(median)} %, single rounds within ${percent(round)} %.\n`
}

/** The median latency that a gateway adds to the bare proxy's. */
export function latencyReport(rounds: Rounds, connections: number): string {
  const base = figures(rounds, 'nginx', 'p50Ms')
  if (base.length === 0) return ''
  const added = (name: string): Spread =>
    spreadOf(figures(rounds, name, 'p50Ms').map((p50, round) => p50 - (base[round] ?? Number.NaN)))
  const rows = [...rounds.keys()].map((name) => [
    name,
    spreadOf(figures(rounds, name, 'p50Ms')).median.toFixed(3),
    name === 'nginx' ? '' : withSpread(added(name), 3),
  ])
  const headings = [`${connections} CONNECTIONS`, 'p50 ms', 'added to nginx, ms']
  const both = rounds.has('nginx-lua') && rounds.has('gatehouse')
  const ratio = both
    ? (added('gatehouse').median / added('nginx-lua').median).toFixed(2)
    : undefined
  const line = ratio === undefined ? '' : `gatehouse adds ${ratio} × what nginx-lua adds\n`
  return `${table(headings, rows)}${line}`
}

/** What a refusal costs. */
export function refusalReport(rounds: Rounds): string {
  const of = (figure: Figure): Spread => spreadOf(figures(rounds, 'gatehouse', figure))
  return `A refusal (429, exhausted key): ${withSpread(of('cpuMicrosPerRequest'), 1)} CPU µs, Redis ${of('redisMicrosPerRequest').median.toFixed(2)} µs, ${of('requestsPerSecond').median.toFixed(0)} requests/s\n`
}

/** What `--json` writes. */
export function jsonReport(rounds: Rounds): string {
  const contestants = entrants
    .filter(({ name }) => rounds.has(name))
    .map(({ name }) => {
      const median = (figure: Figure): number => spreadOf(figures(rounds, name, figure)).median
      return {
        name,
        cpuMicrosPerRequest: median('cpuMicrosPerRequest'),
        redisMicrosPerRequest: median('redisMicrosPerRequest'),
        requestsPerSecond: median('requestsPerSecond'),
        p50Ms: median('p50Ms'),
        p99Ms: median('p99Ms'),
        rssMb: median('rssMb'),
      }
    })
  return `${JSON.stringify({ contestants }, null, 2)}\n`
}

function withSpread({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}..${max.toFixed(digits)})`
}
