import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { smallest } from '../config/written.ts'
import { basic } from '../support/basic.ts'
import { startFleet } from '../support/fleet.ts'
import { runCommand } from '../support/gateway-process.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { recordingUpstream } from '../support/recording-upstream.ts'

test('an older Node.js is told in one line which one is needed, and by what it comes', async () => {
  const versions = `Object.defineProperty(process, 'versions', { value: { node: '20.19.4' } })`
  const nodeOptions = ['--import', `data:text/javascript,${encodeURIComponent(versions)}`]
  const { exitCode, stdout, stderr } = await runCommand(['serve'], { nodeOptions })
  expect(exitCode).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).toMatch(/^Gatehouse needs Node\.js 24\.18\.1 .* this is 20\.19\.4\. .*npm ci.*\n$/)
})

describe('the shipped configuration', () => {
  test('passes check, which says what may pass at most while Redis is away', async () => {
    const { exitCode, stdout, stderr } = await runCommand(['check'])
    expect(exitCode).toBe(0)
    expect(stderr).toBe('')
    expect(stdout).not.toContain('warning')
    expect(stdout).toMatch(/^CLASS OR QUOTA +SCOPE +LIMIT +WITHOUT REDIS +WORST$/m)
    expect(stdout).toMatch(/^trial +user +5 per 10 s +local +10$/m)
    expect(stdout).toMatch(/^\d+ operations: ok$/m)
  })

  test('has its operations listed by routes, for people and for programs', async () => {
    const people = await runCommand(['routes'])
    expect(people.stdout).toMatch(
      /^METHOD +PATH +HOSTS +GROUP +AUTHORIZATIONS +ROLES +STAGE +GRANT$/m,
    )
    expect(people.stdout).toMatch(
      /^GET +\/trial\/demo\/v1\/hello +\* +trial\/v1 +cloud-api-key +\(service\) /m,
    )
    const programs = await runCommand(['routes', '--output', 'json'])
    const routes = JSON.parse(programs.stdout) as unknown[]
    expect(routes.length).toBeGreaterThan(15)
    expect(routes).toContainEqual(
      expect.objectContaining({ method: 'POST', path: '/demo/v1/echo', group: 'demo/v1' }),
    )
  })
})

describe('a configuration with mistakes', () => {
  const text = `listen:
  public: { port: 70000 }
limits:
  classes:
    standard: { user: { requests: 5 } }
apiGroups:
  - name: orders/v1
    document: orders.yaml
    limitClass: premium
    upstream: { urls: ['ftp://127.0.0.1'] }
    colour: blue
`
  let folder: string
  let file: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-mistakes-'))
    file = join(folder, 'gateway.yaml')
    await writeFile(file, text)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test.each(['check', 'routes', 'serve'])(
    'has each told by %s with its place, and nothing is done',
    async (command) => {
      const { exitCode, stdout, stderr } = await runCommand([command, '--config', file])
      expect(exitCode).toBe(1)
      expect(stdout).toBe('')
      const places = stderr
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ', 2))
      expect(places).toEqual([
        [`${file}:2:13`, 'listen.public.port'],
        [`${file}:5:17`, 'limits.classes.standard.user'],
        [`${file}:9:5`, 'apiGroups.0.limitClass'],
        [`${file}:10:24`, 'apiGroups.0.upstream.urls.0'],
        [`${file}:11:5`, 'apiGroups.0.colour'],
      ])
    },
  )
})

test('an operation without declared security, or with a scheme that nobody mapped, fails check by name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-schemes-'))
  const paths = {
    '/open': { get: {} },
    '/odd': { post: { security: [{ 'mutual-tls': [] }] } },
    '/known': { get: { security: [{ 'cloud-api-key': [] }] } },
  }
  const file = join(folder, 'gateway.yaml')
  await writeFile(join(folder, 'api.json'), JSON.stringify({ openapi: '3.1.0', paths }))
  const apiGroups = [{ ...smallest.apiGroups[0], document: 'api.json' }]
  await writeFile(file, JSON.stringify({ ...smallest, apiGroups }))
  const { exitCode, stdout, stderr } = await runCommand(['check', '--config', file])
  expect([exitCode, stdout]).toEqual([1, ''])
  const problems = stderr.trimEnd().split('\n')
  expect(problems).toHaveLength(2)
  expect(problems[0]).toMatch(/"demo\/v1": GET \/open: it declares no security/)
  expect(problems[1]).toMatch(/"demo\/v1": POST \/odd: its security scheme "mutual-tls"/)
  await rm(folder, { recursive: true })
})

test('an end that comes too soon fails check by name, unless it is marked as critical', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-ends-'))
  const file = join(folder, 'gateway.yaml')
  const paths = { '/old': { get: {} } }
  await writeFile(join(folder, 'api.json'), JSON.stringify({ openapi: '3.1.0', paths }))
  const check = async (critical: boolean) => {
    const days = { deprecatedAt: '2027-01-01T00:00:00Z', sunsetAt: '2027-06-29T00:00:00Z' }
    const ends = { retirements: [{ ...days, critical }], undeclaredSecurity: 'anonymous' }
    const apiGroups = [{ ...smallest.apiGroups[0], document: 'api.json', ...ends }]
    await writeFile(file, JSON.stringify({ ...smallest, apiGroups }))
    return runCommand(['check', '--config', file])
  }
  const refused = await check(false)
  expect([refused.exitCode, refused.stdout]).toEqual([1, ''])
  expect(refused.stderr).toMatch(/"demo\/v1": GET \/old: it ends 179 days after it is deprecated/)
  expect((await check(true)).exitCode).toBe(0)
  await rm(folder, { recursive: true })
})

test('compat compares two files, tells the place of what breaks, and ends with 1', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-compat-'))
  const parameters = [{ name: 'q', in: 'query', schema: { type: 'string' } }]
  const written = async (name: string, operation: object): Promise<string> => {
    const document = { openapi: '3.1.0', paths: { '/a': { get: operation } } }
    await writeFile(join(folder, name), JSON.stringify(document, null, 2))
    return join(folder, name)
  }
  const [before, after] = [await written('old.json', { parameters }), await written('new.json', {})]
  const broken = await runCommand(['compat', before, after])
  expect([broken.exitCode, broken.stdout.split('\n')]).toEqual([
    1,
    [
      'breaking: GET /a: the query parameter "q" is gone',
      `  ${before}:7 #/paths/~1a/get/parameters/0`,
      '  parameter-removed: a parameter that callers send must keep its effect',
      '',
    ],
  ])
  const same = await runCommand(['compat', after, before])
  expect([same.exitCode, same.stdout]).toEqual([0, 'compatible\n'])
  await rm(folder, { recursive: true })
})

test('a signing key file that is bad is named by check and by serve', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-key-file-'))
  const file = join(folder, 'gateway.yaml')
  await cp('config/apis', join(folder, 'apis'), { recursive: true })
  await writeFile(join(folder, 'now.pem'), 'no key')
  const tokens = { signingKeys: { files: { current: 'now.pem' } } }
  const listen = { public: { port: 0 }, admin: { port: 0 } }
  await writeFile(file, JSON.stringify({ ...smallest, listen, tokens }))
  for (const command of ['check', 'serve']) {
    const { exitCode, stderr } = await runCommand([command, '--config', file])
    expect(exitCode).toBe(1)
    expect(stderr).toBe(`The signing key ${join(folder, 'now.pem')} is no key in PEM or JWK\n`)
  }
  await rm(folder, { recursive: true })
})

describe('keys create', () => {
  let postgres: TestPostgres

  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres.stop())

  test('prints a key, once, that a running gateway takes at once', async () => {
    const upstream = await recordingUpstream()
    const fleet = await startFleet({
      count: 1,
      databaseUrl: await postgres.createDatabase(),
      groups: [{ name: 'any/v1', paths: { '/any': { get: {} } }, upstreamUrl: upstream.url }],
    })
    const args = ['keys', 'create', '--config', fleet.configurationFile, '--owner', fleet.userId]
    const { exitCode, stdout } = await runCommand(args)
    expect(exitCode).toBe(0)
    const [, id = '', secret = ''] = /^key id {2}(\S+)\nsecret {2}(\S+)\n$/.exec(stdout) ?? []
    const [gateway] = fleet.gateways
    const answer = await fetch(`http://127.0.0.1:${gateway?.port}/any`, {
      headers: { authorization: basic(id, secret) },
    })
    expect(answer.status).toBe(200)
    expect(upstream.requests[0]?.headers).toMatchObject({
      'gatehouse-principal-id': fleet.userId,
    })
    const forPrograms = await runCommand([...args, '--output', 'json'])
    expect(forPrograms.stdout).toMatch(/^\{"key_id":"[A-Z0-9]{16}","secret":"[^"]+"\}\n$/)
    await fleet.stop()
    await upstream.close()
  })

  test('for an owner that does not exist says so, prints no key, and exits with 1', async () => {
    const fleet = await startFleet({
      count: 0,
      databaseUrl: await postgres.createDatabase(),
      groups: [
        { name: 'any/v1', paths: { '/any': { get: {} } }, upstreamUrl: 'http://127.0.0.1:1' },
      ],
    })
    const args = ['keys', 'create', '--config', fleet.configurationFile, '--owner', 'u-nobody']
    const { exitCode, stdout, stderr } = await runCommand(args)
    expect(exitCode).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).not.toBe('')
    await fleet.stop()
  })
})
