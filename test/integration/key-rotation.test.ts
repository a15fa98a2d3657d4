import { afterAll, beforeAll, expect, test } from 'vitest'
import { basic } from '../support/basic.ts'
import { startFleet, type Fleet } from '../support/fleet.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

const actor = { id: 'test' }
const rotations = 5

let postgres: TestPostgres
let upstream: RecordingUpstream
let fleet: Fleet

beforeAll(async () => {
  postgres = await startPostgres()
  upstream = await recordingUpstream()
  fleet = await startFleet({
    count: 2,
    databaseUrl: await postgres.createDatabase(),
    groups: [
      {
        name: 'partners/v1',
        paths: { '/things': { get: { security: [{ oauth: ['partner:describe'] }] } } },
        upstreamUrl: upstream.url,
      },
    ],
    services: ['oauth'],
    configuration: {
      publicOrigin: 'https://api.test',
      limits: {
        unauthenticated: { requests: 1_000_000, windowSeconds: 60 },
        classes: { standard: {} },
      },
    },
  })
})
afterAll(async () => {
  await fleet.stop()
  await upstream.close()
  await postgres.stop()
})

const origins = (): readonly string[] =>
  fleet.gateways.map(({ port }) => `http://127.0.0.1:${port}`)

async function newClient(): Promise<string> {
  const { partners, partnerClients } = fleet.directory
  const { id: partnerId } = await partners.create({ displayName: 'partner' }, actor)
  const scopes = ['partner:describe']
  const { id, secret = '' } = await partnerClients.create(
    { partnerId, displayName: 'client', scopes, authMethods: ['client_secret_basic'] },
    actor,
  )
  return basic(id, secret)
}

async function publishedKids(origin: string): Promise<readonly string[]> {
  const answer = await fetch(`${origin}/oauth2/jwks.json`)
  const { keys } = (await answer.json()) as { keys: readonly { kid: string }[] }
  return keys.map(({ kid }) => kid)
}

/** As the schedule does: the next key takes over once everybody knows it. */
async function rotate(): Promise<void> {
  const { keyRotation } = fleet.directory
  const next = (await keyRotation.list()).find(({ state }) => state === 'next')?.kid ?? ''
  await until(async () => {
    const published = await Promise.all(origins().map(publishedKids))
    return published.every((kids) => kids.includes(next))
  })
  const rotation = { algorithm: 'EdDSA', minPublishedMs: 0, keepPreviousMs: 3_600_000 } as const
  await keyRotation.rotate(rotation, actor)
}

test('keys that rotate while tokens are issued and used lose none of them', async () => {
  const authorization = await newClient()
  const outcomes = new Map<string, number>()
  const kids = new Set<string>()
  const tokens: string[] = []
  let isOver = false

  const note = (what: string, { status }: Response): void => {
    const outcome = `${what} ${status}`
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  const issue = async (origin: string): Promise<void> => {
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    const headers = { authorization }
    const answer = await fetch(`${origin}/oauth2/token`, { method: 'POST', headers, body })
    note('issued', answer)
    const { access_token: token } = (await answer.json()) as { access_token: string }
    const [head = ''] = token.split('.')
    kids.add((JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string }).kid)
    tokens.push(token)
  }
  const use = async (origin: string, token: string): Promise<void> => {
    const headers = { authorization: `Bearer ${token}` }
    const answer = await fetch(`${origin}/things`, { headers })
    note('used', answer)
    await answer.arrayBuffer()
  }
  /** Each token at every gateway at once, and one of long ago with it. */
  const call = async (worker: number): Promise<void> => {
    for (let turn = worker; !isOver; turn += 1) {
      await issue(origins()[turn % 2] ?? '')
      const known = [tokens.at(-1) ?? '', tokens[turn % tokens.length] ?? '']
      await Promise.all(known.flatMap((token) => origins().map((origin) => use(origin, token))))
    }
  }

  const calling = Promise.all([0, 1, 2, 3].map(call))
  for (let turn = 1; turn <= rotations; turn += 1) {
    const before = tokens.length
    await rotate()
    // Both sign with each key before the next one takes over.
    await until(() => tokens.length > before + 40 && kids.size === turn + 1)
  }
  isOver = true
  await calling

  expect([...outcomes.keys()].toSorted()).toEqual(['issued 200', 'used 200'])
  expect(kids.size).toBe(rotations + 1)
  expect(await fleet.directory.keyRotation.list()).toHaveLength(rotations + 2)
})
