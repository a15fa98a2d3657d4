import { randomUUID } from 'node:crypto'
import { crnOf } from './crn-of.ts'
import type { TestedCollection } from './collection.ts'

export const apiKeys: TestedCollection = {
  one: 'IamV2ApiKey',
  many: 'IamV2ApiKeys',
  auditedAs: 'api-key',
  body: (unique, { userId }) => ({
    spec: { display_name: unique, description: 'A key.', owner: { id: userId } },
  }),
}

export const serviceAccounts: TestedCollection = {
  one: 'IamV2ServiceAccount',
  many: 'IamV2ServiceAccounts',
  auditedAs: 'service-account',
  body: (unique) => ({ display_name: unique, description: 'An account.' }),
}

export const users: TestedCollection = {
  one: 'IamV2User',
  many: 'IamV2Users',
  auditedAs: 'user',
  body: (unique) => ({ email: `${unique}@example.com`, full_name: 'Somebody' }),
}

export const identityProviders: TestedCollection = {
  one: 'IamV2IdentityProvider',
  many: 'IamV2IdentityProviders',
  auditedAs: 'identity-provider',
  body: (unique) => ({
    display_name: 'Provider',
    description: 'A provider.',
    issuer: `https://${unique}.example.com/`,
    jwks_uri: 'https://issuer.example.com/keys',
    identity_claim: 'claims.sub',
  }),
}

export const identityPools: TestedCollection = {
  one: 'IamV2IdentityPool',
  many: 'IamV2IdentityPools',
  auditedAs: 'identity-pool',
  body: (unique) => ({
    display_name: unique,
    description: 'A pool.',
    identity_claim: 'claims.sub',
    filter: 'claims.aud == "a"',
  }),
  within: async (api, whose) => {
    const body = identityProviders.body(randomUUID(), whose)
    const { authorization } = whose
    const made = await api.call('createIamV2IdentityProvider', { body, authorization })
    return { provider_id: made.body.id }
  },
}

export const roleBindings: TestedCollection = {
  one: 'IamV2RoleBinding',
  many: 'IamV2RoleBindings',
  auditedAs: 'role-binding',
  body: (unique, { userId, organizationId }) => ({
    principal: `User:${userId}`,
    role_name: 'OrganizationAdmin',
    crn_pattern: `${crnOf(organizationId)}/environment=${unique}`,
  }),
}

export const environments: TestedCollection = {
  one: 'OrgV2Environment',
  many: 'OrgV2Environments',
  auditedAs: 'environment',
  body: (unique) => ({ display_name: unique }),
}

export const resources: TestedCollection = {
  one: 'GatehouseV1Resource',
  many: 'GatehouseV1Resources',
  auditedAs: 'resource',
  body: (unique) => ({
    display_name: 'Orders',
    resource: { kind: 'kafka-cluster', id: unique, environment: { id: 'env-1' } },
  }),
}

/** All that belong to organizations alone. */
export const collections: readonly TestedCollection[] = [
  apiKeys,
  serviceAccounts,
  users,
  identityProviders,
  identityPools,
  roleBindings,
  environments,
]
