import { z } from 'zod'
import type { Crn } from '../crn/crn.ts'
import type { ListedPartner, Partners } from '../directory/partners.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Collection } from '../resource-api/collection.ts'
import { anyId, displayName } from '../resource-api/fields.ts'
import { validated } from '../resource-api/json-body.ts'
import type { GovernanceParts } from './parts.ts'
import { shownState, state } from '../resource-api/state.ts'

const NewPartner = z.object({ display_name: displayName })
const Changed = NewPartner.extend({ state })

type PartnerFilter = { readonly display_name?: string | undefined }

/** Those who act for many organizations and belong to none. */
export function partners({
  directory,
  crnAuthority,
}: GovernanceParts): Collection<ListedPartner, PartnerFilter> {
  const { partners: all } = directory
  return {
    apiVersion: 'gatehouse/v1',
    kind: 'Partner',
    path: '/gatehouse/v1/partners',
    crn: ({ id }) => partnerCrn(crnAuthority, id),
    members: (partner) => ({
      display_name: partner.displayName,
      state: shownState(partner.state),
    }),
    isOf: () => true,
    filter: z.object({ display_name: anyId.optional() }),
    list: (_, part, { display_name: name }) => all.list(part, { displayName: name }),
    count: (_, { display_name: name }) => all.count({ displayName: name }),
    find: all.find,
    create: {
      status: 201,
      make: async (body, { actor }) => {
        const { display_name: name } = validated(NewPartner, body)
        return { record: await all.create({ displayName: name }, actor) }
      },
    },
    update: {
      immutable: [],
      make: (id, patched, { actor }) => {
        const edit = (before: ListedPartner) => {
          const after = validated(Changed, patched(before))
          return { displayName: after.display_name, state: after.state }
        }
        return all.update(id, edit, actor)
      },
    },
    remove: (id, { actor }, check) => all.delete(id, actor, check),
  }
}

/** The name of a partner, which the names of its clients begin with. */
export function partnerCrn(authority: string, id: string): Crn {
  return { authority, elements: [{ kind: 'partner', id }] }
}

/** @throws {GatewayError} rejected: RESOURCE_NOT_FOUND */
export async function requirePartner(all: Pick<Partners, 'find'>, id: string): Promise<void> {
  if ((await all.find(id)) === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
}
