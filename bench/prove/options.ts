import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { basic } from '../../test/support/basic.ts'
import type { Deployment, Experiment, ExperimentOption } from './experiment.ts'

/** What `npm run prove` was asked to do. */
export type Request =
  | { readonly kind: 'list' }
  | {
      readonly kind: 'run'
      readonly experiments: readonly Experiment[]
      readonly deployment: Deployment | undefined
      /** How long those take that can take longer; undefined: less than five minutes. */
      readonly minutes: number | undefined
    }

/**
 * Read the command line.
 *
 * @param args what stands behind `--`
 * @throws {Error} with a message for whoever typed it
 */
export function parseOptions(args: readonly string[], known: readonly Experiment[]): Request {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      url: { type: 'string', multiple: true },
      key: { type: 'string' },
      limit: { type: 'string' },
      window: { type: 'string' },
      pid: { type: 'string' },
      minutes: { type: 'string' },
    },
  })
  const { list, ...given } = values
  if (list) return { kind: 'list' }
  if (positionals.length === 0) throw new Error('Name an experiment; --list shows them')
  const experiments = positionals.map((name) => named(name, known))
  assertAccepted(Object.keys(given) as ExperimentOption[], experiments)
  const minutes = wholeNumber('minutes', given.minutes)
  return { kind: 'run', experiments, deployment: deploymentOf(given), minutes }
}

function named(name: string, known: readonly Experiment[]): Experiment {
  const found = known.find((each) => each.name === name)
  if (found === undefined) throw new Error(`There is no experiment ${name}; --list shows them`)
  return found
}

function assertAccepted(
  given: readonly ExperimentOption[],
  experiments: readonly Experiment[],
): void {
  for (const { name, accepts } of experiments) {
    const refused = given.find((option) => !accepts.includes(option))
    if (refused !== undefined) throw new Error(`${name} does not accept --${refused}`)
  }
}

type Given = {
  readonly url?: readonly string[]
  readonly key?: string
  readonly limit?: string
  readonly window?: string
  readonly pid?: string
}

function deploymentOf({ url, key, limit, window, pid }: Given): Deployment | undefined {
  if (url === undefined && key === undefined && pid === undefined) {
    if (limit === undefined && window === undefined) return undefined
    throw new Error('--limit and --window describe a deployment: name it with --url')
  }
  return {
    urls: (url ?? []).map(httpUrl),
    authorization: key === undefined ? '' : authorizationOf(key),
    limit: wholeNumber('limit', limit),
    windowSeconds: wholeNumber('window', window),
    pid: wholeNumber('pid', pid),
  }
}

function httpUrl(text: string): string {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text
  throw new Error('--url takes an http or https URL')
}

/** A key on the command line can be seen by everybody on the machine; one in a file cannot. */
function authorizationOf(key: string): string {
  const text = key.startsWith('file:') ? readFileSync(key.slice('file:'.length), 'utf8') : key
  const [, id, secret] = /^([^:]+):(.+)$/.exec(text.trim()) ?? []
  if (id === undefined || secret === undefined) throw new Error('--key takes ID:SECRET')
  return basic(id, secret)
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new Error(`--${name} takes a whole number`)
}
