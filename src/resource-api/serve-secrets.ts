import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Check, Collection, Recorded } from './collection.ts'
import { moment } from './fields.ts'
import { readJsonObject, validated } from './json-body.ts'
import { render } from './object.ts'
import { scopeOf, type Scope } from './scope.ts'
import type { ApiEnv, ApiParts } from './serve-collection.ts'

/** How objects that have a secret get a second one, so that their owners move over without a gap. */
export type Secrets<Listed> = {
  /**
   * CONFLICT where two work already.
   *
   * @param otherExpiresAtMs when the other secret ends, in ms since the epoch; undefined: as before
   * @returns the object, and members of the answer that are shown this once
   */
  readonly add: (
    id: string,
    otherExpiresAtMs: number | undefined,
    scope: Scope,
    check: Check<Listed>,
  ) => Promise<{ readonly record: Listed; readonly once: object }>
  /** Have the newer one of two work alone. CONFLICT where fewer than two work. */
  readonly retireOlder: (id: string, scope: Scope, check: Check<Listed>) => Promise<Listed>
}

const NewSecret = z.object({ other_expires_at: moment.nullish() })

/** Serve what a collection's objects do with their secrets. */
export function serveSecrets<Listed extends Recorded, Filter>(
  app: Hono<ApiEnv>,
  { publicOrigin }: ApiParts,
  collection: Collection<Listed, Filter>,
  secrets: Secrets<Listed>,
): void {
  const path = `${collection.path}/:id/secrets`

  app.post(path, async (c) => {
    const { scope, check } = enter(c)
    const body = await readJsonObject(c.req.raw, ['application/json'])
    const other = validated(NewSecret, body).other_expires_at ?? undefined
    const { record, once } = await secrets.add(scope.parameter('id'), other, scope, check)
    const { body: object, self } = render(collection, publicOrigin, scope, record, once)
    return c.json(object, 201, { Location: self })
  })

  app.post(`${path}:retire-older`, async (c) => {
    const { scope, check } = enter(c)
    const record = await secrets.retireOlder(scope.parameter('id'), scope, check)
    return c.json(render(collection, publicOrigin, scope, record).body)
  })

  function enter(c: Context<ApiEnv>): { readonly scope: Scope; readonly check: Check<Listed> } {
    const scope = scopeOf(c.env, (name) => c.req.param(name) ?? '')
    const check = (record: Listed): void => {
      if (!collection.isOf(scope, record)) throw new GatewayError('RESOURCE_NOT_FOUND')
    }
    return { scope, check }
  }
}
