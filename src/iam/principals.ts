import { z } from 'zod'
import { within } from '../crn/crn.ts'
import { organizationCrn } from '../crn/organization.ts'
import type { ListedPrincipal } from '../directory/principals.ts'
import type { Collection } from '../resource-api/collection.ts'
import { anyId, description, displayName } from '../resource-api/fields.ts'
import { validated } from '../resource-api/json-body.ts'
import type { Scope } from '../resource-api/scope.ts'
import type { IamParts } from './parts.ts'

const NewAccount = z.object({ display_name: displayName, description: description.default('') })
const Named = z.object({ display_name: z.string() })

type AccountFilter = { readonly display_name?: string | undefined }

/** Service accounts: principals of programs. */
export function serviceAccounts(parts: IamParts): Collection<ListedPrincipal, AccountFilter> {
  const { principals } = parts.directory
  const twin = async (body: object, { organizationId }: Scope): Promise<string | undefined> => {
    const { display_name: name } = Named.parse(body)
    const filter = { kind: 'service-account', displayName: name } as const
    return (await principals.list(organizationId, { limit: 1 }, filter))[0]?.id
  }
  return {
    ...shared(parts, 'service-account'),
    kind: 'ServiceAccount',
    path: '/iam/v2/service-accounts',
    members: (account) => ({
      display_name: account.displayName,
      description: account.description,
    }),
    filter: z.object({ display_name: anyId.optional() }),
    list: ({ organizationId }, part, { display_name: name }) =>
      principals.list(organizationId, part, { kind: 'service-account', displayName: name }),
    count: ({ organizationId }, { display_name: name }) =>
      principals.count(organizationId, { kind: 'service-account', displayName: name }),
    create: {
      status: 201,
      make: async (body, { organizationId, actor }) => {
        const { display_name: name, description: text } = validated(NewAccount, body)
        const account = { organizationId, displayName: name, description: text }
        return { record: await principals.createServiceAccount(account, actor) }
      },
      twin,
    },
    update: {
      immutable: [],
      make: (id, patched, { actor }) => {
        const edit = (before: ListedPrincipal) => {
          const after = validated(NewAccount, patched(before))
          return { displayName: after.display_name, description: after.description }
        }
        return principals.update(id, edit, actor)
      },
      twin,
    },
  }
}

const NewUser = z.object({
  email: z.email().max(320),
  full_name: z
    .string()
    .regex(/^[^\0]*$/)
    .max(255)
    .default(''),
})
const Changed = NewUser.pick({ full_name: true })
const Addressed = z.object({ email: z.string() })

type UserFilter = { readonly email?: string | undefined }

/** Users: principals of people. */
export function users(parts: IamParts): Collection<ListedPrincipal, UserFilter> {
  const { principals } = parts.directory
  return {
    ...shared(parts, 'user'),
    kind: 'User',
    path: '/iam/v2/users',
    members: (user) => ({
      email: user.email,
      full_name: user.displayName,
      auth_type: 'AUTH_TYPE_LOCAL',
    }),
    filter: z.object({ email: anyId.optional() }),
    list: ({ organizationId }, part, { email }) =>
      principals.list(organizationId, part, { kind: 'user', email }),
    count: ({ organizationId }, { email }) =>
      principals.count(organizationId, { kind: 'user', email }),
    create: {
      status: 201,
      make: async (body, { organizationId, actor }) => {
        const { email, full_name: name } = validated(NewUser, body)
        const user = { organizationId, email, displayName: name }
        return { record: await principals.createUser(user, actor) }
      },
      twin: async (body, { organizationId }) => {
        const { email } = Addressed.parse(body)
        const filter = { kind: 'user', email } as const
        return (await principals.list(organizationId, { limit: 1 }, filter))[0]?.id
      },
    },
    update: {
      immutable: ['/email', '/auth_type'],
      make: (id, patched, { actor }) => {
        const edit = (before: ListedPrincipal) => ({
          displayName: validated(Changed, patched(before)).full_name,
        })
        return principals.update(id, edit, actor)
      },
    },
  }
}

function shared({ directory, crnAuthority }: IamParts, kind: ListedPrincipal['kind']) {
  return {
    apiVersion: 'iam/v2',
    crn: ({ id, organizationId }: ListedPrincipal) =>
      within(organizationCrn(crnAuthority, organizationId), kind, id),
    isOf: ({ organizationId }: Scope, record: ListedPrincipal) =>
      record.kind === kind && record.organizationId === organizationId,
    find: directory.principals.find,
    remove: (id: string, { actor }: Scope, check: (before: ListedPrincipal) => void) =>
      directory.principals.delete(id, actor, check),
  }
}
