import { z } from 'zod'
import type { CompileFilter } from '../auth/pools/filter.ts'
import { compileForIssuer } from '../auth/pools/filter-for-issuer.ts'
import { within } from '../crn/crn.ts'
import { organizationCrn } from '../crn/organization.ts'
import type { ListedIdentityPool } from '../directory/identity-pools.ts'
import type { ListedIdentityProvider } from '../directory/identity-providers.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Collection } from '../resource-api/collection.ts'
import { description, displayName } from '../resource-api/fields.ts'
import { invalidFields, validated } from '../resource-api/json-body.ts'
import type { Scope } from '../resource-api/scope.ts'
import { shownState, state } from '../resource-api/state.ts'
import { identityClaim } from './identity-claim.ts'
import type { IamParts } from './parts.ts'
import { sharedIssuers } from './shared-issuers.ts'

const Described = z.object({
  display_name: displayName,
  description: description.default(''),
  identity_claim: identityClaim,
  filter: z.string(),
})
const Changed = Described.extend({ state })

/** The principals that a provider's tokens stand for. */
export function identityPools(parts: IamParts): Collection<ListedIdentityPool, object> {
  const { identityPools: pools } = parts.directory
  return {
    apiVersion: 'iam/v2',
    kind: 'IdentityPool',
    path: '/iam/v2/identity-providers/:provider_id/identity-pools',
    crn: (pool, { organizationId }) => {
      const organization = organizationCrn(parts.crnAuthority, organizationId)
      const provider = within(organization, 'identity-provider', pool.providerId)
      return within(provider, 'identity-pool', pool.id)
    },
    members,
    // Whoever is let in to the provider may see its pools.
    isOf: (scope, { providerId }) => providerId === scope.parameter('provider_id'),
    enter: async (scope) => {
      await providerOf(scope, parts)
    },
    filter: z.object({}),
    list: (scope, part) => pools.list(scope.parameter('provider_id'), part),
    count: (scope) => pools.count(scope.parameter('provider_id')),
    find: pools.find,
    create: {
      status: 201,
      make: async (body, scope) => {
        const { id: providerId, issuer } = await providerOf(scope, parts)
        const compile = await parts.loadFilterCompiler()
        const pool = described(validated(Described, body), issuer, compile)
        return { record: await pools.create({ providerId, ...pool }, scope.actor) }
      },
    },
    update: {
      immutable: ['/principal'],
      make: async (id, patched, scope) => {
        const { issuer } = await providerOf(scope, parts)
        const compile = await parts.loadFilterCompiler()
        const edit = (before: ListedIdentityPool) => {
          const after = validated(Changed, patched(before))
          return { ...described(after, issuer, compile), state: after.state }
        }
        return pools.update(id, edit, scope.actor)
      },
    },
    remove: (id, { actor }, check) => pools.delete(id, actor, check),
  }
}

/** @throws {GatewayError} RESOURCE_NOT_FOUND where the provider is not the caller's */
async function providerOf(scope: Scope, { directory }: IamParts): Promise<ListedIdentityProvider> {
  const provider = await directory.identityProviders.find(scope.parameter('provider_id'))
  if (provider?.organizationId === scope.organizationId) return provider
  throw new GatewayError('RESOURCE_NOT_FOUND')
}

function described(pool: z.output<typeof Described>, issuer: string, compile: CompileFilter) {
  const filter = compileForIssuer(compile, pool.filter, issuer, sharedIssuers)
  if (filter.kind === 'problem')
    throw invalidFields([{ pointer: '/filter', message: filter.detail }])
  return {
    displayName: pool.display_name,
    description: pool.description,
    identityClaim: pool.identity_claim,
    filter: pool.filter,
  }
}

function members(pool: ListedIdentityPool): object {
  return {
    display_name: pool.displayName,
    description: pool.description,
    identity_claim: pool.identityClaim,
    filter: pool.filter,
    principal: pool.id,
    state: shownState(pool.state),
  }
}
