import { basic } from '../../test/support/basic.ts'
import { urlsOf, type Call } from './caller.ts'
import {
  actor,
  clientToken,
  createClient,
  exchange,
  trust,
  type TokenHouse,
} from './token-house.ts'

/** What can be taken from a caller; the pool twice, since two kinds of token rest on it. */
export const revocableKinds = [
  'revoked key',
  'deleted user',
  'disabled pool, external token',
  'disabled pool, STS token',
  'disabled client',
] as const

/** A caller of its own, and how to have it refused from then on. */
export type Revocable = {
  readonly call: Call
  readonly revoke: () => Promise<void>
}

const makers: Readonly<
  Record<(typeof revocableKinds)[number], (house: TokenHouse) => Promise<Revocable>>
> = {
  'revoked key': async (house) => {
    const { directory, userId } = house.fleet
    const { id, call } = await keyOf(house, userId)
    return { call, revoke: () => directory.apiKeys.revoke(id, actor) }
  },
  'deleted user': async (house) => {
    const { directory, organizationId } = house.fleet
    const email = `${crypto.randomUUID()}@example.com`
    const { id } = await directory.principals.createUser({ organizationId, email }, actor)
    const { call } = await keyOf(house, id)
    return { call, revoke: () => directory.principals.delete(id, actor) }
  },
  'disabled pool, external token': async (house) => {
    const { token, disable } = await newPool(house)
    return { call: bearer('/external/hello', token), revoke: disable }
  },
  'disabled pool, STS token': async (house) => {
    const { poolId, token, disable } = await newPool(house)
    const own = await exchange(someUrl(house), token, poolId)
    return { call: bearer('/sts/hello', own), revoke: disable }
  },
  'disabled client': async (house) => {
    const { id, authorization } = await createClient(house)
    const token = await clientToken(someUrl(house), authorization)
    const { partnerClients } = house.fleet.directory
    return {
      call: bearer('/partner/hello', token),
      revoke: () => partnerClients.disable(id, actor),
    }
  },
}

/** Make the nth caller: of each kind in turn. */
export function revocable(house: TokenHouse, n: number): Promise<Revocable> {
  return makers[revocableKinds[n % revocableKinds.length] ?? 'revoked key'](house)
}

async function keyOf({ fleet }: TokenHouse, ownerId: string): Promise<{ id: string; call: Call }> {
  const key = { ownerId, resource: { kind: 'cloud' } } as const
  const { id, secret } = await fleet.directory.apiKeys.create(key, actor)
  return { id, call: { path: '/standard/hello', authorization: basic(id, secret) } }
}

async function newPool(house: TokenHouse) {
  const issuer = house.provider.anotherIssuer()
  const { poolId } = await trust(house, house.provider, issuer)
  const { identityPools } = house.fleet.directory
  return {
    poolId,
    token: house.provider.token({ issuer }),
    disable: () => identityPools.disable(poolId, actor),
  }
}

function bearer(path: string, token: string): Call {
  return { path, authorization: `Bearer ${token}` }
}

function someUrl({ fleet }: TokenHouse): string {
  const [url] = urlsOf(fleet.gateways)
  if (url === undefined) throw new Error('There is no gateway')
  return url
}
