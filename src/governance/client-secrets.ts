import type { Hono } from 'hono'
import { z } from 'zod'
import type { ListedPartnerClient } from '../directory/partner-clients.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import { moment } from '../resource-api/fields.ts'
import { readJsonObject, validated } from '../resource-api/json-body.ts'
import { render } from '../resource-api/object.ts'
import { scopeOf } from '../resource-api/scope.ts'
import type { ApiEnv } from '../resource-api/serve-collection.ts'
import { partnerClients } from './partner-clients.ts'
import type { GovernanceParts } from './parts.ts'

const NewSecret = z.object({ other_expires_at: moment.nullish() })

/** Give a client a second secret, so that its owner moves over without a gap. */
export function serveClientSecrets(app: Hono<ApiEnv>, parts: GovernanceParts): void {
  const collection = partnerClients(parts)
  app.post(`${collection.path}/:id/secrets`, async (c) => {
    const scope = scopeOf(c.env, (name) => c.req.param(name) ?? '')
    const body = await readJsonObject(c.req.raw, ['application/json'])
    const { other_expires_at: other } = validated(NewSecret, body)
    const wanted = {
      clientId: scope.parameter('id'),
      ...(typeof other === 'number' ? { otherExpiresAtMs: other } : {}),
    }
    const check = (client: ListedPartnerClient): void => {
      if (!collection.isOf(scope, client)) throw new GatewayError('RESOURCE_NOT_FOUND')
    }
    const { partnerClients: clients } = parts.directory
    const { client, secret } = await clients.addSecret(wanted, scope.actor, check)
    const { body: object, self } = render(collection, parts.publicOrigin, scope, client, { secret })
    return c.json(object, 201, { Location: self })
  })
}
