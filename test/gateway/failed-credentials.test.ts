import { afterAll, beforeAll, expect, it } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

let upstream: RecordingUpstream
let gateway: TestGateway

const allowed = 3

beforeAll(async () => {
  upstream = await recordingUpstream()
  gateway = await startGateway({
    groups: [{ name: 'things', upstreamUrl: upstream.url, paths: { '/things': { get: {} } } }],
    configuration: {
      // Callers are as many addresses as the test says.
      transport: { trustedProxies: ['127.0.0.1'] },
      limits: {
        unauthenticated: { requests: allowed, windowSeconds: 3_600 },
        classes: { standard: {} },
      },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

let addresses = 0
const newAddress = (): string => `198.51.100.${(addresses += 1)}`

type Seen = { readonly status: number; readonly details: string | undefined }

async function ask(authorization: string | undefined, address: string): Promise<Seen> {
  const response = await fetch(`http://127.0.0.1:${gateway.port}/things`, {
    headers: {
      ...{ 'X-Forwarded-For': address, 'X-Forwarded-Proto': 'https' },
      ...(authorization === undefined ? {} : { authorization }),
    },
  })
  const text = await response.text()
  if (response.ok) return { status: response.status, details: undefined }
  const { error } = JSON.parse(text) as { error: { details?: string } }
  return { status: response.status, details: error.details }
}

const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

async function statusesOf(
  count: number,
  credential: () => string | undefined,
  address: () => string,
): Promise<readonly number[]> {
  const statuses: number[] = []
  for (let i = 0; i < count; i++) statuses.push((await ask(credential(), address())).status)
  return statuses
}

const refusedAs = (status: number): readonly number[] => [
  ...Array.from({ length: allowed }, () => status),
  ...[429, 429],
]

it.each([
  ['that exists', () => gateway.key.id],
  ['that nobody has', () => 'NOBODYSKEY'],
])('guesses at a key %s are limited, from however many addresses they come', async (_, idOf) => {
  const guess = (): string => basic(idOf(), 'a guess')
  expect(await statusesOf(allowed + 2, guess, newAddress)).toEqual(refusedAs(401))
  expect(await ask(guess(), newAddress())).toEqual({
    status: 429,
    details: 'Too many requests came with this API key ID and without its secret.',
  })
})

it('who has the secret passes, from where guesses came too', async () => {
  const address = newAddress()
  const guess = (): string => basic(gateway.key.id, 'another guess')
  await statusesOf(allowed + 2, guess, () => address)
  expect(await ask(gateway.key.authorization, address)).toMatchObject({ status: 200 })
  expect(await ask(gateway.key.authorization, newAddress())).toMatchObject({ status: 200 })
})

let keys = 0
const anotherKey = (): string => basic(`KEY${(keys += 1)}`, 'a guess')

it.each([
  ['with another key each time', 401, anotherKey],
  ['without credentials', 401, (): undefined => undefined],
  ['with credentials that are none', 400, (): string => 'Basic ?'],
] as const)('one address is limited, %s', async (_, status, credential) => {
  const address = newAddress()
  expect(await statusesOf(allowed + 2, credential, () => address)).toEqual(refusedAs(status))
  expect(await ask(credential(), address)).toEqual({
    status: 429,
    details: 'Too many requests without valid credentials came from this address.',
  })
})

it('nothing of it was forwarded but what had its secret', () => {
  expect(upstream.requests).toHaveLength(2)
})
