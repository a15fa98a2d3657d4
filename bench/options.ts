import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** What `npm run bench` was asked to do. */
export type BenchOptions = {
  /** Contestants by name; undefined: all. */
  readonly only: readonly string[] | undefined
  readonly parts: ReadonlySet<Part>
  /** Windows of each contestant that count. */
  readonly windows: number
  /** Length of a window. */
  readonly windowMs: number
  /** Connections of the load generator in the part `load`. */
  readonly connections: number
  /** Where figures go as JSON. */
  readonly jsonFile: string | undefined
  /** Another gateway to compare with: of another checkout, or with other options of Node. */
  readonly other:
    { readonly checkout: string | undefined; readonly nodeOptions: readonly string[] } | undefined
  /** Write a CPU profile of the gateway under load, and measure nothing. */
  readonly profile: boolean
}

/** `load`: all contestants; `latency`: at 8 connections; `refusals`: an exhausted key. */
export const parts = ['load', 'latency', 'refusals'] as const
export type Part = (typeof parts)[number]

/** @throws {Error} where an option is unknown or has a value that is not possible */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      parts: { type: 'string', default: parts.join(',') },
      windows: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      connections: { type: 'string', default: '50' },
      json: { type: 'string' },
      against: { type: 'string' },
      'against-node': { type: 'string' },
      profile: { type: 'boolean', default: false },
    },
  })
  return {
    only: values.only?.split(','),
    parts: new Set(values.parts.split(',').map(partOf)),
    windows: atLeast(1, 'windows', values.windows),
    windowMs: atLeast(0.1, 'seconds', values.seconds) * 1_000,
    connections: atLeast(1, 'connections', values.connections),
    jsonFile: values.json,
    other: otherOf(values.against, values['against-node']),
    profile: values.profile,
  }
}

function otherOf(checkout: string | undefined, nodeOptions: string | undefined) {
  if (checkout === undefined && nodeOptions === undefined) return undefined
  return {
    checkout: checkout === undefined ? undefined : resolve(checkout),
    nodeOptions: nodeOptions?.split(' ').filter(Boolean) ?? [],
  }
}

function partOf(text: string): Part {
  const part = parts.find((each) => each === text)
  if (part === undefined) throw new Error(`--parts knows ${parts.join(', ')}; not ${text}`)
  return part
}

function atLeast(least: number, name: string, text: string): number {
  const value = Number(text)
  if (!(value >= least)) throw new Error(`--${name} must be a number, at least ${least}`)
  return value
}
