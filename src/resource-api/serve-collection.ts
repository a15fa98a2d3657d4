import { isDeepStrictEqual } from 'node:util'
import type { Context, Hono } from 'hono'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Caller } from '../gateway/service.ts'
import type { Collection, Recorded } from './collection.ts'
import { entityTag, requireMatch } from './entity-tag.ts'
import { invalidFields, readJsonObject } from './json-body.ts'
import { mergePatch } from './merge-patch.ts'
import { addressOf, render, type Rendered } from './object.ts'
import type { PageTokens } from './page-token.ts'
import { readPage } from './paging.ts'
import { filterOf } from './query-filter.ts'
import { scopeOf, type Scope } from './scope.ts'

/** The environment of our own APIs: each request comes with who calls. */
export type ApiEnv = { Bindings: Caller }

/** What every collection is served with. */
export type ApiParts = {
  /** Of the links in answers; never the request's Host. */
  readonly publicOrigin: string
  readonly pageTokens: PageTokens
}

const jsonTypes = ['application/json']
const patchTypes = ['application/merge-patch+json', ...jsonTypes]

/** Serve what a collection declares: list, create, read, update and delete. */
export function serveCollection<Listed extends Recorded, Filter>(
  app: Hono<ApiEnv>,
  { publicOrigin, pageTokens }: ApiParts,
  collection: Collection<Listed, Filter>,
): void {
  const { path, create, update, remove } = collection
  const item = `${path}/:id`

  app.get(path, async (c) => {
    const scope = await enter(c)
    const query = new URL(c.req.url).searchParams
    const { filter, canonical } = filterOf(collection.filter, query)
    const page = await readPage(query, pageTokens, {
      name: JSON.stringify([scope.organizationId, addressOf(path, '', scope), canonical]),
      address: `${addressOf(path, publicOrigin, scope)}?${canonical && `${canonical}&`}`,
      page: (part) => collection.list(scope, part, filter),
      count: () => collection.count(scope, filter),
      idOf: ({ id }) => id,
    })
    return c.json({
      api_version: collection.apiVersion,
      kind: `${collection.kind}List`,
      metadata: page.metadata,
      data: page.items.map((record) => shown(scope, record).body),
    })
  })

  app.get(item, async (c) => {
    const scope = await enter(c)
    const record = await collection.find(c.req.param('id') ?? '', scope)
    return answer(c, scope, visible(scope, record))
  })

  if (create !== undefined)
    app.post(path, async (c) => {
      const scope = await enter(c)
      const body = await readJsonObject(c.req.raw, jsonTypes)
      const made = create.make(body, scope)
      const { record, once } = await located(made, scope, () => create.twin?.(body, scope))
      const { body: object, self } = shown(scope, record, once)
      return c.json(object, create.status, { Location: self, ...tagOf(record) })
    })

  if (update !== undefined)
    app.patch(item, async (c) => {
      const scope = await enter(c)
      const patch = await readJsonObject(c.req.raw, patchTypes)
      const patched = (before: Listed): object => {
        requireAllowed(c, scope, before)
        const { body } = shown(scope, before)
        const after = mergePatch(body, patch)
        refuseChanges(update.immutable, body, after)
        return after
      }
      const made = update.make(c.req.param('id') ?? '', patched, scope)
      return answer(c, scope, await located(made, scope, () => update.twin?.(patch, scope)))
    })

  if (remove !== undefined)
    app.delete(item, async (c) => {
      const scope = await enter(c)
      await remove(c.req.param('id') ?? '', scope, (before) => {
        requireAllowed(c, scope, before)
      })
      return c.body(null, 204)
    })

  /** Whatever is asked for, what it is within must be the caller's. */
  async function enter(c: Context<ApiEnv>): Promise<Scope> {
    const scope = scopeOf(c.env, (name) => c.req.param(name) ?? '')
    await collection.enter?.(scope)
    return scope
  }

  function shown(scope: Scope, record: Listed, once?: object): Rendered {
    return render(collection, publicOrigin, scope, record, once)
  }

  function answer(c: Context<ApiEnv>, scope: Scope, record: Listed): Response {
    return c.json(shown(scope, record).body, 200, tagOf(record))
  }

  function visible(scope: Scope, record: Listed | undefined): Listed {
    if (record !== undefined && collection.isOf(scope, record)) return record
    throw new GatewayError('RESOURCE_NOT_FOUND')
  }

  /** Both are decided under the lock: before, another request could come in between. */
  function requireAllowed(c: Context<ApiEnv>, scope: Scope, before: Listed): void {
    const { version = 0 } = visible(scope, before)
    requireMatch(c.req.header('if-match'), { version })
  }

  /** A conflict says where the other object is. */
  function located<Result>(
    made: Promise<Result>,
    scope: Scope,
    twin: () => Promise<string | undefined> | undefined,
  ): Promise<Result> {
    return made.catch(async (error: unknown) => {
      if (!(error instanceof GatewayError) || error.code !== 'CONFLICT') throw error
      const id = await twin()
      if (id === undefined) throw error
      const { details, cause } = error
      const self = `${addressOf(path, publicOrigin, scope)}/${encodeURIComponent(id)}`
      throw new GatewayError('CONFLICT', {
        headers: { Location: self },
        cause,
        ...(details === undefined ? {} : { details }),
      })
    })
  }
}

function tagOf({ version }: Recorded): Record<string, string> {
  return version === undefined ? {} : { ETag: entityTag({ version }) }
}

/** @throws {GatewayError} VALIDATION_FAILED with every immutable member that would change */
function refuseChanges(pointers: readonly string[], before: object, after: object): void {
  const changed = pointers.filter(
    (pointer) =>
      // A patch cannot say null of a member but by taking it away.
      !isDeepStrictEqual(valueAt(before, pointer) ?? null, valueAt(after, pointer) ?? null),
  )
  if (changed.length > 0)
    throw invalidFields(changed.map((pointer) => ({ pointer, message: 'Cannot be changed' })))
}

/** What a JSON Pointer without escapes points to. */
function valueAt(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((parent, name) => {
      if (typeof parent !== 'object' || parent === null) return undefined
      return Reflect.get(parent, name) as unknown
    }, value)
}
