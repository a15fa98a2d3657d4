import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { basic } from '../support/basic.ts'
import { writeConfiguration } from '../support/configuration.ts'
import { runCommand, startGatewayProcess } from '../support/gateway-process.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

let postgres: TestPostgres
let upstream: RecordingUpstream
beforeAll(async () => {
  postgres = await startPostgres()
  upstream = await recordingUpstream()
}, 60_000)
afterAll(async () => {
  await upstream.close()
  await postgres.stop()
})

const pepper = { current: { id: 'p1', secret: 'a pepper for the tests, long enough' } }

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-backup-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

/** A configuration of a gateway on a new database. */
async function configure(): Promise<string> {
  return writeConfiguration(await temporaryFolder(), {
    groups: [{ name: 'any/v1', paths: { '/any': { get: {} } }, upstreamUrl: upstream.url }],
    configuration: { directory: { url: await postgres.createDatabase(), pepper } },
  })
}

test('the documented restore: export, a new database, import, and a key of before opens', async () => {
  const first = await configure()
  const who = ['--organization', 'Example', '--email', 'ada@example.com']
  const { stdout } = await runCommand(['init', '--config', first, ...who])
  const [, id = '', secret = ''] = /key id {2}(\S+)\nsecret {2}(\S+)\n$/.exec(stdout) ?? []
  // Its start makes signing keys, so that a directory in use is exported.
  const running = await startGatewayProcess(first)
  onTestFinished(() => running.kill())
  const file = join(await temporaryFolder(), 'export.jsonl')
  const done = { exitCode: 0, stdout: '', stderr: '' }
  expect(await runCommand(['export', file, '--config', first])).toEqual(done)
  expect((await stat(file)).mode & 0o777).toBe(0o600)

  const second = await configure()
  expect(await runCommand(['import', file, '--config', second])).toEqual(done)
  const restored = await startGatewayProcess(second)
  onTestFinished(() => restored.kill())
  const answer = await fetch(`http://127.0.0.1:${restored.port}/any`, {
    headers: { authorization: basic(id, secret) },
  })
  expect(answer.status).toBe(200)

  const again = await runCommand(['import', file, '--config', second])
  expect([again.exitCode, again.stdout]).toEqual([1, ''])
  expect(again.stderr).toMatch(/^The directory is not empty: .*\n$/)
}, 120_000)

test('an export writes over no file; an import of none, or of another, says so and ends', async () => {
  const configuration = await configure()
  const file = join(await temporaryFolder(), 'export.jsonl')
  await writeFile(file, 'mine')
  const exported = await runCommand(['export', file, '--config', configuration])
  expect(exported.exitCode).toBe(1)
  expect(exported.stderr).toContain('file already exists')
  expect((await stat(file)).size).toBe(4)
  const imported = await runCommand(['import', `${file}.none`, '--config', configuration])
  expect(imported.exitCode).toBe(1)
  expect(imported.stderr).toContain('no such file')
  await writeFile(file, '{"a":1}\n'.repeat(100_000))
  const other = await runCommand(['import', file, '--config', configuration])
  expect(other).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: 'The file is no export of a Gatehouse directory\n',
  })
}, 60_000)
