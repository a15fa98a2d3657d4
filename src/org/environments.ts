import { z } from 'zod'
import { within } from '../crn/crn.ts'
import { organizationCrn } from '../crn/organization.ts'
import type { Environment } from '../directory/environments.ts'
import type { Collection } from '../resource-api/collection.ts'
import { anyId, displayName } from '../resource-api/fields.ts'
import { validated } from '../resource-api/json-body.ts'
import type { Scope } from '../resource-api/scope.ts'
import type { OrgParts } from './parts.ts'

const Described = z.object({ display_name: displayName })
const Named = z.object({ display_name: z.string() })

type EnvironmentFilter = { readonly display_name?: string | undefined }

/** What an organization keeps its resources in. */
export function environments(parts: OrgParts): Collection<Environment, EnvironmentFilter> {
  const { environments: directory } = parts.directory
  const twin = async (body: object, { organizationId }: Scope): Promise<string | undefined> => {
    const filter = { displayName: Named.parse(body).display_name }
    return (await directory.list(organizationId, { limit: 1 }, filter))[0]?.id
  }
  return {
    apiVersion: 'org/v2',
    kind: 'Environment',
    path: '/org/v2/environments',
    crn: ({ id, organizationId }) =>
      within(organizationCrn(parts.crnAuthority, organizationId), 'environment', id),
    members: (environment) => ({ display_name: environment.displayName }),
    isOf: ({ organizationId }, environment) => environment.organizationId === organizationId,
    filter: z.object({ display_name: anyId.optional() }),
    list: ({ organizationId }, part, { display_name: name }) =>
      directory.list(organizationId, part, { displayName: name }),
    count: ({ organizationId }, { display_name: name }) =>
      directory.count(organizationId, { displayName: name }),
    find: directory.find,
    create: {
      status: 201,
      make: async (body, { organizationId, actor }) => {
        const { display_name: name } = validated(Described, body)
        return { record: await directory.create({ organizationId, displayName: name }, actor) }
      },
      twin,
    },
    update: {
      immutable: [],
      make: (id, patched, { actor }) => {
        const edit = (before: Environment) => ({
          displayName: validated(Described, patched(before)).display_name,
        })
        return directory.update(id, edit, actor)
      },
      twin,
    },
    remove: (id, { actor }, check) => directory.delete(id, actor, check),
  }
}
