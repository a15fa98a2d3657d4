import { z } from 'zod'
import { formatCrn, within } from '../crn/crn.ts'
import type { ListedPartnerClient } from '../directory/partner-clients.ts'
import type { Collection } from '../resource-api/collection.ts'
import { anyId } from '../resource-api/fields.ts'
import { validated } from '../resource-api/json-body.ts'
import { ChangedClient, NewClient } from './client-fields.ts'
import type { GovernanceParts } from './parts.ts'
import { partnerCrn, requirePartner } from './partners.ts'
import { shownState } from '../resource-api/state.ts'

type ClientFilter = { readonly display_name?: string | undefined }

/** The OAuth clients of a partner. */
export function partnerClients(
  parts: GovernanceParts,
): Collection<ListedPartnerClient, ClientFilter> {
  const { partners, partnerClients: clients } = parts.directory
  return {
    apiVersion: 'gatehouse/v1',
    kind: 'PartnerClient',
    path: '/gatehouse/v1/partners/:partner_id/clients',
    crn: ({ id, partnerId }) => within(partnerCrn(parts.crnAuthority, partnerId), 'client', id),
    members: (client) => membersOf(client, parts),
    isOf: ({ parameter }, client) => client.partnerId === parameter('partner_id'),
    enter: ({ parameter }) => requirePartner(partners, parameter('partner_id')),
    filter: z.object({ display_name: anyId.optional() }),
    list: ({ parameter }, part, { display_name: name }) =>
      clients.list(parameter('partner_id'), part, { displayName: name }),
    count: ({ parameter }, { display_name: name }) =>
      clients.count(parameter('partner_id'), { displayName: name }),
    find: clients.find,
    create: {
      status: 201,
      make: async (body, { actor, parameter }) => {
        const wanted = described(validated(NewClient, body))
        const partnerId = parameter('partner_id')
        const { client, secret } = await clients.create({ ...wanted, partnerId }, actor)
        return { record: client, ...(secret === undefined ? {} : { once: { secret } }) }
      },
    },
    update: {
      immutable: ['/partner/id'],
      make: (id, patched, { actor }) => {
        const edit = (before: ListedPartnerClient) => {
          const after = validated(ChangedClient, patched(before))
          return { ...described(after), state: after.state }
        }
        return clients.update(id, edit, actor)
      },
    },
    remove: (id, { actor }, check) => clients.delete(id, actor, check),
  }
}

function described(client: z.output<typeof NewClient>) {
  return {
    displayName: client.display_name,
    scopes: client.scopes,
    authMethods: client.auth_methods,
    jwks: client.jwks ?? undefined,
  }
}

function membersOf(client: ListedPartnerClient, parts: GovernanceParts): object {
  const { partnerId: id } = client
  return {
    display_name: client.displayName,
    scopes: client.scopes,
    auth_methods: client.authMethods,
    ...(client.jwks === undefined ? {} : { jwks: client.jwks }),
    state: shownState(client.state),
    partner: {
      id,
      related: `${parts.publicOrigin}/gatehouse/v1/partners/${id}`,
      resource_name: formatCrn(partnerCrn(parts.crnAuthority, id)),
    },
  }
}
