import { z } from 'zod'
import { formatCrn, within } from '../crn/crn.ts'
import { organizationCrn } from '../crn/organization.ts'
import { parsePattern } from '../crn/pattern.ts'
import type { ListedRoleBinding, NewRoleBinding } from '../directory/role-bindings.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Collection } from '../resource-api/collection.ts'
import { anyId } from '../resource-api/fields.ts'
import { invalidFields, validated } from '../resource-api/json-body.ts'
import type { Scope } from '../resource-api/scope.ts'
import type { IamParts } from './parts.ts'

/** Before the id of whoever is bound, be it a user, a service account or an identity pool. */
const principalType = 'User:'

const principal = anyId
  .regex(/^User:/, 'Must be of the form User:id')
  .transform((text) => text.slice(principalType.length))

const New = z.object({ principal, role_name: anyId, crn_pattern: z.string() })

type BindingFilter = {
  readonly principal?: string | undefined
  readonly role_name?: string | undefined
  readonly crn_pattern?: string | undefined
}

/** Who has which role, and on what. */
export function roleBindings(parts: IamParts): Collection<ListedRoleBinding, BindingFilter> {
  const { roleBindings: bindings } = parts.directory
  return {
    apiVersion: 'iam/v2',
    kind: 'RoleBinding',
    path: '/iam/v2/role-bindings',
    crn: ({ id, organizationId }) =>
      within(organizationCrn(parts.crnAuthority, organizationId), 'role-binding', id),
    members: (binding) => ({
      principal: `${principalType}${binding.principalId}`,
      role_name: binding.role,
      crn_pattern: binding.crnPattern,
    }),
    isOf: ({ organizationId }, binding) => binding.organizationId === organizationId,
    filter: z.object({
      principal: principal.optional(),
      role_name: anyId.optional(),
      crn_pattern: z
        .string()
        .max(2_000)
        .regex(/^[^\0]*$/)
        .optional(),
    }),
    list: ({ organizationId }, part, filter) =>
      bindings.list(organizationId, part, columnsOf(filter)),
    count: ({ organizationId }, filter) => bindings.count(organizationId, columnsOf(filter)),
    find: bindings.find,
    create: {
      status: 201,
      make: async (body, scope) => {
        const binding = bindingOf(body, scope, parts)
        try {
          return { record: await bindings.create(binding, scope.actor) }
        } catch (error) {
          if (!(error instanceof GatewayError) || error.code !== 'RESOURCE_NOT_FOUND') throw error
          throw invalidFields([{ pointer: '/principal', message: 'Does not exist' }])
        }
      },
      twin: async (body, scope) => {
        const { organizationId, principalId, role, crnPattern } = bindingOf(body, scope, parts)
        const filter = { principalId, role, crnPatternPrefix: crnPattern }
        const found = await bindings.list(organizationId, { limit: 1_000 }, filter)
        return found.find((binding) => binding.crnPattern === crnPattern)?.id
      },
    },
    remove: (id, { actor }, check) => bindings.delete(id, actor, check),
  }
}

/** What a body asks for, once the role and the pattern mean something. */
function bindingOf(body: object, { organizationId }: Scope, parts: IamParts): NewRoleBinding {
  const { principal: principalId, role_name: role, crn_pattern: pattern } = validated(New, body)
  const problems = [
    Object.hasOwn(parts.roles, role)
      ? undefined
      : { pointer: '/role_name', message: 'Is no role of this gateway' },
    patternProblem(pattern, formatCrn(organizationCrn(parts.crnAuthority, organizationId))),
  ].filter((problem) => problem !== undefined)
  if (problems.length > 0) throw invalidFields(problems)
  return { organizationId, principalId, role, crnPattern: pattern }
}

function patternProblem(text: string, organization: string) {
  const pointer = '/crn_pattern'
  if (parsePattern(text) === undefined || text.length > 2_000)
    return { pointer, message: 'Must be a CRN, whose end may be a star' }
  if (text === organization || text.startsWith(`${organization}/`)) return undefined
  return { pointer, message: `Must begin with ${organization}` }
}

function columnsOf(filter: BindingFilter) {
  return {
    principalId: filter.principal,
    role: filter.role_name,
    crnPatternPrefix: filter.crn_pattern,
  }
}
