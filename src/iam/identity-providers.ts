import { z } from 'zod'
import { isSharedIssuer } from '../auth/pools/filter-for-issuer.ts'
import { within } from '../crn/crn.ts'
import { organizationCrn } from '../crn/organization.ts'
import type { ListedIdentityProvider } from '../directory/identity-providers.ts'
import type { Collection } from '../resource-api/collection.ts'
import { description, displayName } from '../resource-api/fields.ts'
import { invalidFields, validated } from '../resource-api/json-body.ts'
import type { Scope } from '../resource-api/scope.ts'
import { shownState, state } from '../resource-api/state.ts'
import { identityClaim } from './identity-claim.ts'
import type { IamParts } from './parts.ts'
import { sharedIssuers } from './shared-issuers.ts'

/** Compared byte by byte with `iss`, so it is kept as it is written. */
const uri = z
  .string()
  .regex(/^https?:\/\/[^/?#]/, 'Must be an http or https URL')
  .regex(/^[\x21-\x7e]+$/, 'Must be visible characters without spaces')

const Described = z.object({
  display_name: displayName,
  description: description.default(''),
  issuer: uri.max(1_000),
  jwks_uri: uri.max(2_000).nullish(),
  identity_claim: identityClaim.nullish(),
})
const Changed = Described.extend({ state })
const Named = z.object({ issuer: z.string() })

type ProviderFilter = { readonly issuer?: string | undefined }

/** Whose tokens an organization accepts. */
export function identityProviders(
  parts: IamParts,
): Collection<ListedIdentityProvider, ProviderFilter> {
  const { identityProviders: providers } = parts.directory
  const twin = async (body: object, { organizationId }: Scope): Promise<string | undefined> => {
    const filter = { issuer: Named.parse(body).issuer }
    return (await providers.list(organizationId, { limit: 1 }, filter))[0]?.id
  }
  return {
    apiVersion: 'iam/v2',
    kind: 'IdentityProvider',
    path: '/iam/v2/identity-providers',
    crn: ({ id, organizationId }) =>
      within(organizationCrn(parts.crnAuthority, organizationId), 'identity-provider', id),
    members,
    isOf: ({ organizationId }, provider) => provider.organizationId === organizationId,
    filter: z.object({
      issuer: z
        .string()
        .max(1_000)
        .regex(/^[^\0]*$/)
        .optional(),
    }),
    list: ({ organizationId }, part, filter) => providers.list(organizationId, part, filter),
    count: ({ organizationId }, filter) => providers.count(organizationId, filter),
    find: providers.find,
    create: {
      status: 201,
      make: async (body, { organizationId, actor }) => {
        const provider = described(validated(Described, body))
        refusePrivate(provider, parts)
        return { record: await providers.create({ organizationId, ...provider }, actor) }
      },
      twin,
    },
    update: {
      immutable: [],
      make: (id, patched, { actor }) => {
        const edit = (before: ListedIdentityProvider) => {
          const changed = validated(Changed, patched(before))
          const after = described(changed)
          refuseSharing(before.issuer, after.issuer)
          if (keysAt(after) !== keysAt(before)) refusePrivate(after, parts)
          return { ...after, state: changed.state }
        }
        return providers.update(id, edit, actor)
      },
      twin,
    },
    remove: (id, { actor }, check) => providers.delete(id, actor, check),
  }
}

function described(provider: z.output<typeof Described>) {
  return {
    displayName: provider.display_name,
    description: provider.description,
    issuer: provider.issuer,
    jwksUri: provider.jwks_uri ?? undefined,
    identityClaim: provider.identity_claim ?? undefined,
  }
}

type KeySource = Pick<ListedIdentityProvider, 'issuer' | 'jwksUri'>

/** Where its keys, or what tells where they are, would be fetched from. */
function keysAt({ issuer, jwksUri }: KeySource): string {
  return jwksUri ?? issuer
}

/** Nothing would ever be fetched from there, which is better told now than when tokens come. */
function refusePrivate(provider: KeySource, { mayFetch }: IamParts): void {
  if (mayFetch(keysAt(provider))) return
  const pointer = provider.jwksUri === undefined ? '/issuer' : '/jwks_uri'
  throw invalidFields([{ pointer, message: 'Must be an address that keys may be fetched from' }])
}

/** Its pools were written for an issuer of one customer, and would let all customers in. */
function refuseSharing(before: string, after: string): void {
  if (before === after || !isSharedIssuer(after, sharedIssuers)) return
  const message = 'Is shared by many customers, which needs a provider of its own'
  throw invalidFields([{ pointer: '/issuer', message }])
}

function members(provider: ListedIdentityProvider): object {
  return {
    display_name: provider.displayName,
    description: provider.description,
    issuer: provider.issuer,
    ...(provider.jwksUri === undefined ? {} : { jwks_uri: provider.jwksUri }),
    ...(provider.identityClaim === undefined ? {} : { identity_claim: provider.identityClaim }),
    state: shownState(provider.state),
  }
}
