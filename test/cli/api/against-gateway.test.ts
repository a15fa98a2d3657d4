import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exitCodeOf } from '../../../src/cli/api/exit.ts'
import { buildProgram, type Commands } from '../../../src/cli/program.ts'
import { startOpenIdIssuer, type OpenIdIssuer } from '../../auth/keys/openid-issuer.ts'
import { publicOrigin } from '../../support/api.ts'
import { startGateway, type TestGateway } from '../../support/gateway.ts'

/*
 * The command line as people use it, against a gateway that is reached at another address than its
 * links name.
 */

let idp: OpenIdIssuer
let gateway: TestGateway
beforeAll(async () => {
  idp = await startOpenIdIssuer()
  gateway = await startGateway({
    groups: [],
    services: ['sts', 'iam', 'org', 'gatehouse', 'quota'],
    configuration: {
      publicOrigin,
      tokens: { identityProviders: { allowAddresses: ['127.0.0.1'], allowHttp: true } },
    },
    limits: { user: { requests: 100_000, windowSeconds: 60 } },
  })
})
afterAll(async () => {
  await gateway.stop()
  await idp.stop()
})

type Run = { readonly code: number; readonly out: string; readonly notes: string }
type Json = Readonly<Record<string, unknown>> & { readonly id: string }

/** Run a command; `files` are what it reads, by name. */
async function run(
  words: readonly string[],
  files: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = administrator(),
): Promise<Run> {
  let [out, notes] = ['', '']
  const io = {
    env: { GATEHOUSE_PROFILES: '/nowhere', GATEHOUSE_URL: url(), ...env },
    out: (text: string): void => void (out += text),
    note: (text: string): void => void (notes += text),
    read: (name: string) => Promise.resolve(files[name] ?? ''),
  }
  // None of the commands of this machine is run.
  const program = buildProgram({} as Commands, '1.2.3', io)
  program.configureOutput({ writeOut: io.out, writeErr: io.note })
  try {
    await program.parseAsync(words, { from: 'user' })
    return { code: 0, out, notes }
  } catch (error) {
    const told = error instanceof Error ? error.message : String(error)
    return { code: exitCodeOf(error), out, notes: notes + told }
  }
}

function url(): string {
  return `http://127.0.0.1:${gateway.port}`
}

function administrator(): Record<string, string> {
  const { id, secret } = gateway.key
  return { GATEHOUSE_API_KEY: id, GATEHOUSE_API_SECRET: secret }
}

/** Run a command that succeeds, and read what it prints as JSON. */
async function json(...words: readonly string[]): Promise<Json> {
  const { code, out, notes } = await run([...words, '--output', 'json'])
  expect(code, `${words.join(' ')}: ${notes}`).toBe(0)
  return JSON.parse(out) as Json
}

/** A kind of object: how one is made, how it is changed, what shows the change, and where it is. */
type Kind = readonly [
  command: string,
  create: () => readonly string[] | Promise<readonly string[]>,
  update?: readonly [words: readonly string[], shown: object],
  within?: () => Promise<readonly string[]>,
]

const kinds: readonly Kind[] = [
  [
    'api-keys',
    () => ['--owner', gateway.userId, '--resource', 'cloud', '--name', 'a'],
    [['--name', 'b'], { spec: { display_name: 'b' } }],
  ],
  [
    'service-accounts',
    () => ['--name', randomUUID()],
    [['--set', 'description=new'], { description: 'new' }],
  ],
  [
    'users',
    () => ['--email', `${randomUUID()}@example.com`],
    [['--name', 'B'], { full_name: 'B' }],
  ],
  [
    'providers',
    () => ['--name', 'idp', '--issuer', `https://${randomUUID()}.example.com`],
    [['--set', 'state=DISABLED'], { state: 'DISABLED' }],
  ],
  [
    'pools',
    () => ['--name', 'p', '--identity-claim', 'claims.sub', '--filter', 'claims.aud == "a"'],
    [['--filter', 'claims.aud == "b"'], { filter: 'claims.aud == "b"' }],
    async () => ['--provider', (await provider()).id],
  ],
  [
    'bindings',
    async () => [
      ...[
        '--principal',
        `User:${(await json('service-accounts', 'create', '--name', randomUUID())).id}`,
      ],
      ...['--role', 'OrganizationAdmin'],
      ...['--on', `crn://confluent.cloud/organization=${gateway.organizationId}`],
    ],
  ],
  [
    'environments',
    () => ['--name', randomUUID()],
    [['--name', 'other'], { display_name: 'other' }],
  ],
  ['partners', () => ['--name', 'Acme'], [['--name', 'Other'], { display_name: 'Other' }]],
  [
    'partner-clients',
    () => ['--name', 'app', '--scope', 'partner:create', 'partner:describe'],
    [['--scope', 'partner:alter'], { scopes: ['partner:alter'] }],
    async () => ['--partner', (await json('partners', 'create', '--name', 'Acme')).id],
  ],
  [
    'resources',
    () => ['--kind', 'kafka-cluster', '--resource', randomUUID()],
    [['--name', 'Orders'], { display_name: 'Orders' }],
  ],
  ['grants', () => ['--name', randomUUID(), '--organization', gateway.organizationId]],
  [
    'overrides',
    () => ['--organization', gateway.organizationId, '--limit-name', randomUUID(), '--value', '7'],
    [['--value', '9'], { limit: 9 }],
  ],
]

async function provider(issuer = `https://${randomUUID()}.example.com`): Promise<Json> {
  return json('providers', 'create', '--name', 'idp', '--issuer', issuer)
}

test.each(kinds.map((kind) => ({ command: kind[0], kind })))(
  '$command are made, listed, described, changed and deleted',
  async ({ command, kind: [, create, update, within] }) => {
    const place = (await within?.()) ?? []
    const { id } = await json(command, 'create', ...place, ...(await create()))
    const list = (await json(command, 'list', ...place)) as unknown as readonly Json[]
    expect(list.map((each) => each.id)).toContain(id)
    const table = (await run([command, 'list', ...place])).out
    expect(table).toMatch(/^ID\b/)
    expect(table).toContain(id)
    expect((await json(command, 'describe', id, ...place)).id).toBe(id)
    expect((await run([command, 'describe', id, ...place])).out).toContain(id)
    if (update !== undefined) {
      const [words, shown] = update
      expect(await json(command, 'update', id, ...place, ...words)).toMatchObject(shown)
      const late = [command, 'update', id, ...place, ...words, '--if-match', '"0"']
      expect((await run(late)).code).toBe(3)
    }
    const gone = await run([command, 'delete', id, ...place])
    expect([gone.code, gone.out]).toEqual([0, ''])
    expect((await run([command, 'describe', id, ...place])).code).toBe(4)
  },
)

test('organizations are made with an administrator, who is somebody from then on', async () => {
  const words = ['--name', 'Tenant', '--email', 'ada@tenant.example']
  const made = await json('organizations', 'create', ...words)
  const { id, secret } = made['api_key'] as { readonly id: string; readonly secret: string }
  expect((await run(['organizations', 'list'])).out).toContain(made.id)
  const env = { GATEHOUSE_API_KEY: id, GATEHOUSE_API_SECRET: secret }
  expect((await run(['users', 'list'], {}, env)).out).toContain('ada@tenant.example')
  expect((await run(['organizations', 'list'], {}, env)).code).toBe(5)
})

test('signing keys and audit events are looked at, and the next key takes over', async () => {
  const before = (await json('signing-keys', 'list')) as unknown as readonly Json[]
  const current = before.find(({ state }) => state === 'CURRENT')
  const rotated = await json('signing-keys', 'rotate', '--force')
  expect(rotated).toMatchObject({ kind: 'SigningKey', state: 'CURRENT' })
  expect(rotated.id).not.toBe(current?.id)
  const words = ['audit-events', 'list', '--action', 'signing-key.became-current', '--limit', '1']
  const [event] = (await json(...words)) as unknown as readonly Json[]
  // What belongs to no organization is not among the caller's own.
  expect(event).toBeUndefined()
  const [none] = (await json(...words, '--organization', 'none')) as unknown as readonly Json[]
  expect(none).toMatchObject({ action: 'signing-key.became-current', subject: { id: rotated.id } })
})

test('a list goes on over pages, wherever their links lead', async () => {
  const { id: owner } = await json('service-accounts', 'create', '--name', randomUUID())
  const { apiKeys } = gateway.directory
  for (let i = 0; i < 101; i++)
    await apiKeys.create({ ownerId: owner, resource: { kind: 'cloud' } }, { id: 'test' })
  const all = (await json('api-keys', 'list')) as unknown as readonly Json[]
  expect(all.length).toBeGreaterThan(101)
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
  const few = (await json('api-keys', 'list', '--limit', '3')) as unknown as readonly Json[]
  expect(few).toEqual(all.slice(0, 3))
})

test('a key opens what its option says', async () => {
  const resourceOf = async (resource: string) => {
    const made = await json('api-keys', 'create', '--owner', gateway.userId, '--resource', resource)
    return (made['spec'] as { readonly resource: unknown }).resource
  }
  expect(await resourceOf('cloud')).toBeNull()
  expect(await resourceOf('global')).toMatchObject({ kind: 'Global' })
  expect(await resourceOf('lkc-1')).toMatchObject({ id: 'lkc-1', api_version: 'cmk/v2' })
  expect(await resourceOf('order-book:b-1')).toEqual({ id: 'b-1', kind: 'order-book' })
  expect(await resourceOf('flink-region:aws.eu@env-1')).toMatchObject({
    id: 'aws.eu',
    environment: { id: 'env-1' },
  })
})

test('a key’s secret is changed without a gap', async () => {
  const { id, spec } = await json('api-keys', 'create', '--owner', gateway.userId)
  const { secret: first } = spec as { readonly secret: string }
  const added = await json('api-keys', 'add-secret', id)
  const { secret: second } = added['spec'] as { readonly secret: string }
  const codes = async () => {
    const runs = [first, second].map((secret) => {
      const env = { GATEHOUSE_API_KEY: id, GATEHOUSE_API_SECRET: secret }
      return run(['environments', 'list'], {}, env)
    })
    return (await Promise.all(runs)).map(({ code }) => code)
  }
  expect(await codes()).toEqual([0, 0])
  expect((await run(['api-keys', 'add-secret', id])).code).toBe(3)
  await json('api-keys', 'retire-secret', id)
  expect(await codes()).toEqual([5, 0])
  expect((await run(['api-keys', 'retire-secret', id])).code).toBe(3)
})

test('a token is exchanged, decoded and used; one that opens nothing is refused with the reason', async () => {
  const { id } = await provider(idp.issuer)
  const described = ['--name', 'all', '--identity-claim', 'claims.sub', '--filter', 'true']
  const pool = await json('pools', 'create', '--provider', id, ...described)
  const on = `crn://confluent.cloud/organization=${gateway.organizationId}`
  const role = ['--principal', `User:${pool.id}`, '--role', 'OrganizationAdmin', '--on', on]
  await json('bindings', 'create', ...role)
  const words = ['token', 'exchange', '--subject-token', 'subject', '--pool', pool.id]
  const exchanged = await run(words, { subject: await idp.issueToken() })
  expect(exchanged).toMatchObject({ code: 0, notes: '' })
  const token = exchanged.out.trim()
  const decoded = await run(['token', 'decode', 'token'], { token })
  expect(JSON.parse(decoded.out)).toMatchObject({ claims: { iss: publicOrigin } })
  const listed = await run(['environments', 'list'], {}, { GATEHOUSE_TOKEN: token })
  expect(listed.code).toBe(0)
  const refused = await run(words, { subject: 'a.b.c' })
  expect(refused.code).toBe(3)
  expect(refused.notes).toMatch(/^400 invalid_[a-z]+: \S/)
  expect((await run(['token', 'decode', 'token'], { token: 'nothing' })).code).toBe(2)
})

test('explain tells the operation, what opens it, and the limits', async () => {
  const { code, out } = await run(['explain', 'get', '/iam/v2/users/u-1'])
  expect(code).toBe(0)
  for (const word of ['getIamV2User', 'cloud-api-key', 'standard.user.requests', '100000'])
    expect(out).toContain(word)
  const nothing = await json('explain', 'GET', '/nowhere')
  expect(nothing).toMatchObject({ outcome: 'NOT_FOUND' })
})

test('apply shows what differs, does it when it is told to, and has nothing to do then', async () => {
  const [name, issuer] = [randomUUID(), `https://${randomUUID()}.example.com`]
  const { id: parent } = await provider(issuer)
  const partner = await json('partners', 'create', '--name', randomUUID())
  const { id: elsewhere } = await gateway.directory.organizations.create(
    { displayName: 'Elsewhere' },
    { id: 'test' },
  )
  const file = (description: string, limit: number) => `
kind: ServiceAccount
display_name: ${name}
description: ${description}
---
kind: IdentityPool
parent: ${parent}
display_name: ci
identity_claim: claims.sub
filter: claims.aud == "ci"
---
- { kind: Resource, resource: { kind: order-book, id: ${name} } }
- { kind: Resource, resource: { kind: order-book, id: ${name}, environment: { id: env-1 } } }
- { kind: AccessGrant, name: early, organization: { id: ${elsewhere} } }
- { kind: LimitOverride, organization: { id: ${elsewhere} }, limit_name: a, limit: ${limit} }
- { kind: LimitOverride, organization: { id: ${elsewhere} }, principal: { id: u-1 }, limit_name: a, limit: 3 }
- { kind: LimitOverride, partner: { id: ${partner.id} }, limit_name: a, limit: 4 }
`
  const apply = (text: string, ...words: readonly string[]) =>
    run(['apply', 'objects', ...words], { objects: text })
  const planned = await apply(file('one', 7))
  expect([planned.code, planned.out]).toEqual([7, ''])
  expect(planned.notes).toContain(`+ ServiceAccount ${name}`)
  expect(planned.notes).toContain('8 of 8 objects differ')
  const none = await run(['service-accounts', 'list'])
  expect(none.out).not.toContain(name)
  const done = await apply(file('one', 7), '--yes')
  expect(done.code, done.notes).toBe(0)
  expect(JSON.parse(done.out)).toHaveLength(8)
  const again = await apply(file('one', 7))
  expect([again.code, again.out, again.notes.match(/^= /gm)?.length]).toEqual([0, '', 8])
  const changed = await apply(file('two', 8))
  expect(changed.code).toBe(7)
  expect(changed.notes).toContain('description: one → two')
  expect(changed.notes).toContain('limit: 7 → 8')
  expect(JSON.parse((await apply(file('two', 8), '--yes')).out)).toHaveLength(2)
  expect((await apply(file('two', 8))).code).toBe(0)
  const wrong = await apply('kind: Nothing')
  expect([wrong.code, wrong.notes]).toEqual([2, expect.stringContaining('"Nothing" is no kind')])
})

test('apply that fails midway prints what it made, whose secrets nobody sees again', async () => {
  const objects = `
- { kind: ApiKey, spec: { display_name: ${randomUUID()}, owner: { id: ${gateway.userId} } } }
- { kind: Environment, display_name: '' }
`
  const { code, out } = await run(['apply', 'objects', '--yes'], { objects })
  expect(code).toBe(3)
  const [key, ...others] = JSON.parse(out) as readonly Json[]
  expect(others).toEqual([])
  expect(key?.['spec']).toHaveProperty('secret')
})

test('what goes wrong has its exit code, and says what the gateway says', async () => {
  const refused = await run(['environments', 'create', '--name', ''])
  expect(refused.code).toBe(3)
  expect(refused.notes).toContain('VALIDATION_FAILED')
  expect(refused.notes).toContain('/display_name')
  expect(refused.notes).toMatch(/^Request id: [\w-]+$/m)
  const name = randomUUID()
  const first = await json('environments', 'create', '--name', name)
  const second = await run(['environments', 'create', '--name', name])
  expect(second.notes).toContain(
    `In the way stands ${publicOrigin}/org/v2/environments/${first.id}`,
  )
  expect((await run(['users', 'describe', 'u-none'])).code).toBe(4)
  const nobody = { GATEHOUSE_API_KEY: 'AAAAAAAAAAAAAAAA', GATEHOUSE_API_SECRET: 'x' }
  expect((await run(['users', 'list'], {}, nobody)).code).toBe(5)
  expect((await run(['users', 'list'], {}, { GATEHOUSE_URL: 'http://127.0.0.1:1' })).code).toBe(6)
  expect((await run(['users', 'update', 'u-1'])).code).toBe(2)
  expect((await run(['users', 'conquer'])).code).toBe(2)
})

test.each(['bash', 'zsh', 'fish'])('completion for %s knows every command', async (shell) => {
  const { code, out } = await run(['completion', shell])
  expect(code).toBe(0)
  for (const word of ['api-keys', 'retire-secret', 'explain', 'serve', 'if-match'])
    expect(out).toContain(word)
})
