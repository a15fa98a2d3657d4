import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { findProgram } from './processes.ts'
import { provideServers } from './provide-servers.ts'
import { summarize, type Report } from './report.ts'

// What `npm test` runs: make sure that Redis and PostgreSQL are there, run vitest, and close with
// one line that counts. A test that could not run is a failure.

const root = resolve(import.meta.dirname, '../..')
const reportFile = join(root, '.cache', 'test-report.json')

function main(): number {
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
  const run = spawnSync(vitest, ['run', ...reporters, ...process.argv.slice(2)], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const { line, isGreen } = summarize(readReport())
  process.stdout.write(`${line}\n`)
  return run.status === 0 && isGreen ? 0 : 1
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

process.exitCode = main()
