import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { folderInMemory } from './folder-in-memory.ts'
import { ended, findProgram } from './processes.ts'
import { provideServers } from './provide-servers.ts'
import { summarize, type Report } from './report.ts'

// What `npm test` runs: make sure that Redis and PostgreSQL are there, run vitest, and close with
// one line that counts. A test that could not run is a failure.

const root = resolve(import.meta.dirname, '../..')
const reportFile = join(root, '.cache', 'test-report.json')

async function main(): Promise<number> {
  const problem = provideServers(join(root, '.cache', 'servers'))
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`)
    return 1
  }
  rmSync(reportFile, { force: true })
  mkdirSync(dirname(reportFile), { recursive: true })
  const vitest = findProgram('vitest', [join(root, 'node_modules', '.bin')])
  if (vitest === undefined) {
    process.stderr.write('vitest is not installed; run "npm ci" first\n')
    return 1
  }
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]
  const isGreenRun = await run(vitest, ['run', ...reporters, ...process.argv.slice(2)])
  const { line, isGreen } = summarize(readReport())
  process.stdout.write(`${line}\n`)
  return isGreenRun && isGreen ? 0 : 1
}

/** Run vitest to its end, also where a signal asks for it, and remove the files of its tests. */
async function run(vitest: string, args: readonly string[]): Promise<boolean> {
  const temporary = folderInMemory()
  const child = spawn(vitest, args, {
    cwd: root,
    env: { ...process.env, ...(temporary === undefined ? {} : { TMPDIR: temporary }) },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  // A terminal sends SIGINT to both, and a second one would keep vitest from ending in good order.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  await ended(child)
  if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true })
  return child.exitCode === 0
}

function readReport(): Report | undefined {
  try {
    // Written by vitest itself, a moment ago.
    return JSON.parse(readFileSync(reportFile, 'utf8')) as Report
  } catch {
    // vitest ended before it could write one.
    return undefined
  }
}

process.exitCode = await main()
