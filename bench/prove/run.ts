import { join, resolve } from 'node:path'
import { provideServers } from '../../test/support/provide-servers.ts'
import { lineOf, type Deployment, type Experiment } from './experiment.ts'
import { experiments } from './experiments.ts'
import { parseOptions, type Request } from './options.ts'

// What `npm run prove` runs: each experiment in turn, and a line for each. The exit status is 0 where
// every goal is met, 1 where one is not, and 2 where the command line is wrong.

const deadlineMs = 300_000

async function main(args: readonly string[]): Promise<number> {
  const request = readRequest(args)
  if (request === undefined) return 2
  if (request.kind === 'list') {
    process.stdout.write(experiments.map(described).join(''))
    return 0
  }
  const { deployment, minutes } = request
  const problem = deployment === undefined ? serversMissing() : undefined
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`)
    return 1
  }
  let unmet = 0
  for (const experiment of request.experiments) {
    const isMet = await prove(experiment, deployment, minutes)
    if (!isMet) unmet += 1
  }
  return unmet === 0 ? 0 : 1
}

function readRequest(args: readonly string[]): Request | undefined {
  try {
    return parseOptions(args, experiments)
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`)
    return undefined
  }
}

function described({ name, shows, accepts }: Experiment): string {
  const there = accepts.filter((option) => option !== 'minutes').map((option) => `--${option}`)
  const longer = accepts.includes('minutes') ? '  For longer: --minutes\n' : ''
  const deployed = there.length === 0 ? '' : `  Against a deployment: ${there.join(' ')}\n`
  return `${name}\n  ${shows}.\n${longer}${deployed}`
}

function serversMissing(): string | undefined {
  return provideServers(join(resolve(import.meta.dirname, '../..'), '.cache', 'servers'))
}

async function prove(
  experiment: Experiment,
  deployment: Deployment | undefined,
  minutes: number | undefined,
): Promise<boolean> {
  try {
    const withinMs = deadlineMs + (minutes ?? 0) * 60_000
    const running = experiment.run(deployment, minutes)
    const outcome = await Promise.race([running, deadline(withinMs)])
    process.stdout.write(`${lineOf(experiment.name, outcome)}\n`)
    return outcome.isMet
  } catch (error) {
    process.stdout.write(`${experiment.name}: no figure: ${messageOf(error)} short\n`)
    return false
  }
}

function deadline(withinMs: number): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => {
      reject(new Error(`It did not end within ${withinMs / 1_000} s`))
    }, withinMs).unref()
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

// An experiment that was given up may have left sockets and servers behind: they end with this process.
process.exit(await main(process.argv.slice(2)))
