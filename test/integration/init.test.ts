import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { basic } from '../support/basic.ts'
import { writeConfiguration } from '../support/configuration.ts'
import { runCommand, startGatewayProcess } from '../support/gateway-process.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { recordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
}, 60_000)
afterAll(() => postgres.stop())

const made = /^organization {2}(\S+)\nuser {2}(\S+)\nkey id {2}(\S+)\nsecret {2}(\S+)\n$/
const unchanged = 'The directory has an organization already: nothing was changed\n'
const pepper = { current: { id: 'p1', secret: 'a pepper for the tests, long enough' } }

/** A configuration whose one group asks roles, on a directory as given. */
async function configure(directory: object): Promise<string> {
  const upstream = await recordingUpstream()
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-init-'))
  onTestFinished(async () => {
    await upstream.close()
    await rm(folder, { recursive: true })
  })
  const paths = { '/any': { get: {}, delete: {} } }
  const groups = [
    { name: 'any/v1', paths, upstreamUrl: upstream.url, authorization: 'roles' },
  ] as const
  return writeConfiguration(folder, {
    groups,
    configuration: { directory, crnAuthority: 'example.com' },
  })
}

/** As a version without roles left it. */
async function withoutRoles(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('DELETE FROM role_bindings')
  await client.end()
}

function init(file: string, ...more: readonly string[]): ReturnType<typeof runCommand> {
  const who = ['--organization', 'Example', '--email', 'ada@example.com']
  return runCommand(['init', '--config', file, ...who, ...more])
}

describe.each([
  ['a PostgreSQL server', async () => ({ url: await postgres.createEmptyDatabase(), pepper })],
  ['a folder', () => Promise.resolve({ folder: 'directory' })],
])('init on %s', (_where, directory) => {
  test('makes an administrator whose key may do everything, and then nothing more', async () => {
    const file = await configure(await directory())
    const first = await init(file)
    expect(first.stderr).toBe('')
    const [, , , id = '', secret = ''] = made.exec(first.stdout) ?? []
    expect(await init(file)).toEqual({ exitCode: 0, stdout: unchanged, stderr: '' })
    const gateway = await startGatewayProcess(file)
    onTestFinished(() => gateway.kill())
    expect(gateway.printed()).toBe('')
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/any`, {
      method: 'DELETE',
      headers: { authorization: basic(id, secret) },
    })
    expect(answer.status).toBe(200)
  }, 60_000)
})

test('bind gives a principal a role on a directory from before there were any', async () => {
  const file = await configure({ url: await postgres.createEmptyDatabase(), pepper })
  const [, organization = '', principal = ''] = made.exec((await init(file)).stdout) ?? []
  const who = ['--organization', organization, '--principal', principal]
  const bind = (...more: readonly string[]): ReturnType<typeof runCommand> =>
    runCommand(['bind', '--config', file, ...who, ...more])
  const there = await bind('--role', 'OrganizationAdmin')
  expect([there.exitCode, there.stderr]).toEqual([1, expect.stringContaining('this role there')])
  const unknown = await bind('--role', 'Nobody')
  expect(unknown.stderr).toBe('There is no such role; there are: OrganizationAdmin\n')
  const foreign = await bind('--role', 'OrganizationAdmin', '--on', 'crn://example.com/a=b')
  expect(foreign.exitCode).toBe(1)
  const again = await init(file, '--output', 'json')
  expect(JSON.parse(again.stdout)).toEqual({ created: false })
  const unreadable = await bind('--role', 'OrganizationAdmin', '--on', 'everything')
  expect(unreadable.stderr).toBe('The pattern is no CRN pattern\n')

  const url = await postgres.createEmptyDatabase()
  const before = await configure({ url, pepper })
  const earlier = made.exec((await init(before)).stdout) ?? []
  await withoutRoles(url)
  const gateway = await startGatewayProcess(before)
  onTestFinished(() => gateway.kill())
  const authorization = basic(earlier[3] ?? '', earlier[4] ?? '')
  const call = async (): Promise<number> =>
    (await fetch(`http://127.0.0.1:${gateway.port}/any`, { headers: { authorization } })).status
  expect(await call()).toBe(403)
  const given = ['--organization', earlier[1] ?? '', '--principal', earlier[2] ?? '']
  const bound = await runCommand([
    'bind',
    '--config',
    before,
    ...given,
    '--role',
    'OrganizationAdmin',
  ])
  expect(bound.stdout).toMatch(/^role binding {2}rb-\w+\n$/)
  await until(async () => (await call()) === 200)
}, 90_000)

test('of two that run at the same time, one makes it and the other says so', async () => {
  const file = await configure({ url: await postgres.createEmptyDatabase(), pepper })
  const both = await Promise.all([init(file), init(file)])
  expect(both.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([
    [0, ''],
    [0, ''],
  ])
  expect(both.filter(({ stdout }) => made.test(stdout))).toHaveLength(1)
  expect(both.filter(({ stdout }) => stdout === unchanged)).toHaveLength(1)
}, 60_000)
