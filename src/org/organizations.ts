import { z } from 'zod'
import { organizationCrn } from '../crn/organization.ts'
import type { Organization } from '../directory/organizations.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Collection } from '../resource-api/collection.ts'
import { displayName } from '../resource-api/fields.ts'
import { validated } from '../resource-api/json-body.ts'
import type { OrgParts } from './parts.ts'

const Named = z.object({ display_name: displayName })

/** The caller's own organization: a list of one. */
export function organizations(parts: OrgParts): Collection<Organization, object> {
  const { directory, crnAuthority } = parts
  const own = async (organizationId: string): Promise<readonly Organization[]> => {
    const found = await directory.organizations.find(organizationId)
    return found === undefined ? [] : [found]
  }
  return {
    apiVersion: 'org/v2',
    kind: 'Organization',
    path: '/org/v2/organizations',
    crn: ({ id }) => organizationCrn(crnAuthority, id),
    members: (organization) => ({ display_name: organization.displayName }),
    isOf: ({ organizationId }, { id }) => id === organizationId,
    filter: z.object({}),
    // Nothing is before the one, and nothing behind it.
    list: ({ organizationId }, { after, before }) =>
      after === undefined && before === undefined ? own(organizationId) : Promise.resolve([]),
    count: async ({ organizationId }) => (await own(organizationId)).length,
    // What is no id of the caller's is not looked for: it need not be a UUID.
    find: (id, { organizationId }) =>
      id === organizationId ? directory.organizations.find(id) : Promise.resolve(undefined),
    update: {
      immutable: [],
      make: async (id, patched, { organizationId, actor }) => {
        if (id !== organizationId) throw new GatewayError('RESOURCE_NOT_FOUND')
        const edit = (before: Organization) => ({
          displayName: validated(Named, patched(before)).display_name,
        })
        return directory.organizations.update(id, edit, actor)
      },
    },
  }
}
