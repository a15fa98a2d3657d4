import { z } from 'zod'
import { organizationCrn } from '../crn/organization.ts'
import type { Organization } from '../directory/organizations.ts'
import type { Collection } from '../resource-api/collection.ts'
import { displayName } from '../resource-api/fields.ts'
import { validated } from '../resource-api/json-body.ts'
import type { GovernanceParts } from './parts.ts'

const NewOrganization = z.object({
  display_name: displayName,
  administrator: z.object({
    email: z.email().max(320),
    full_name: displayName.or(z.literal('')).default(''),
  }),
})

/**
 * The tenants, for operators. Whoever administers a new one gets the key that all else is made
 * with; from then on the organization looks after itself.
 */
export function organizations({
  directory,
  crnAuthority,
}: GovernanceParts): Collection<Organization, object> {
  const { organizations: all } = directory
  return {
    apiVersion: 'gatehouse/v1',
    kind: 'Organization',
    path: '/gatehouse/v1/organizations',
    crn: ({ id }) => organizationCrn(crnAuthority, id),
    members: (organization) => ({ display_name: organization.displayName }),
    isOf: () => true,
    filter: z.object({}),
    list: (_, part) => all.list(part),
    count: all.count,
    find: async (id) => (z.uuid().safeParse(id).success ? all.find(id) : undefined),
    create: {
      status: 201,
      make: async (body, { actor }) => {
        const { display_name: organizationName, administrator } = validated(NewOrganization, body)
        const { email: userEmail, full_name: userName } = administrator
        const first = { organizationName, userEmail, userName, crnAuthority }
        const { organization, userId, apiKey } = await directory.makeTenant(first, actor)
        const { id, secret } = apiKey
        const once = { administrator: { id: userId, email: userEmail }, api_key: { id, secret } }
        return { record: organization, once }
      },
    },
  }
}
