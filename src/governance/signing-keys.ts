import type { Hono } from 'hono'
import { z } from 'zod'
import type { ListedSigningKey } from '../directory/signing-keys.ts'
import type { Collection } from '../resource-api/collection.ts'
import { readJsonObject, validated } from '../resource-api/json-body.ts'
import { render, timeOf } from '../resource-api/object.ts'
import { partOf } from '../resource-api/part-of.ts'
import { scopeOf } from '../resource-api/scope.ts'
import type { ApiEnv } from '../resource-api/serve-collection.ts'
import type { GovernanceParts, SigningKeys } from './parts.ts'

type Listed = ListedSigningKey & { readonly id: string }

/** The keys that our tokens are signed with, never a private one. */
export function signingKeys({
  crnAuthority,
  signingKeys: keys,
}: GovernanceParts): Collection<Listed, object> {
  return {
    apiVersion: 'gatehouse/v1',
    kind: 'SigningKey',
    path: '/gatehouse/v1/signing-keys',
    crn: ({ id }) => ({ authority: crnAuthority, elements: [{ kind: 'signing-key', id }] }),
    members: membersOf,
    isOf: () => true,
    filter: z.object({}),
    list: async (_, part) => partOf(await all(keys), part),
    count: async () => (await all(keys)).length,
    find: async (id) => (await all(keys)).find((key) => key.id === id),
  }
}

const Rotation = z.object({ force: z.boolean().default(false) })

/** Have the next key take over; the answer is the key that signs from now on. */
export function serveRotation(app: Hono<ApiEnv>, parts: GovernanceParts): void {
  const collection = signingKeys(parts)
  app.post(`${collection.path}:rotate`, async (c) => {
    const scope = scopeOf(c.env, () => '')
    const isEmpty = c.req.raw.body === null
    const body = isEmpty ? {} : await readJsonObject(c.req.raw, ['application/json'])
    await parts.signingKeys.rotate(scope.actor, validated(Rotation, body))
    const current = (await all(parts.signingKeys)).find(({ state }) => state === 'current')
    if (current === undefined) throw new Error('After a rotation there is no current key')
    return c.json(render(collection, parts.publicOrigin, scope, current).body)
  })
}

/** In the order of their ids. There are a few at most. */
async function all(keys: Pick<SigningKeys, 'list'>): Promise<readonly Listed[]> {
  const listed = (await keys.list()).map((key) => ({ ...key, id: key.kid }))
  return listed.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

function membersOf(key: Listed): object {
  return {
    algorithm: key.algorithm,
    state: key.state.toUpperCase(),
    public_jwk: key.publicJwk,
    ...(key.currentSinceMs === undefined ? {} : { current_since: timeOf(key.currentSinceMs) }),
    ...(key.keepUntilMs === undefined ? {} : { keep_until: timeOf(key.keepUntilMs) }),
  }
}
