import { keyResourceOf } from './key-resource.ts'
import { operatorResources } from './operator-resources.ts'
import { allVerbs, type Resource, type ResourceOption } from './resource.ts'

const named: readonly ResourceOption[] = [
  { name: 'name', description: 'what people call it', member: 'display_name', isRequired: true },
  { name: 'description', description: 'what it is for', member: 'description' },
]

/** Every kind of object that the command line manages. */
export const resources: readonly Resource[] = [
  {
    command: 'api-keys',
    kind: 'ApiKey',
    path: '/iam/v2/api-keys',
    columns: [
      ['ID', 'id'],
      ['NAME', 'spec.display_name'],
      ['OWNER', 'spec.owner.id'],
      ['RESOURCE', 'spec.resource.id'],
      ['CREATED', 'metadata.created_at'],
    ],
    options: [
      {
        name: 'owner',
        description: 'the user or service account it acts for',
        member: 'spec.owner.id',
        isRequired: true,
      },
      {
        name: 'resource',
        description: 'what it opens: cloud, global, ID, KIND:ID, or KIND:ID@ENVIRONMENT',
        member: 'spec.resource',
        read: keyResourceOf,
      },
      { name: 'name', description: 'what people call it', member: 'spec.display_name' },
      { name: 'description', description: 'what it is for', member: 'spec.description' },
    ],
    naturalKey: ['spec.owner.id', 'spec.display_name'],
    verbs: allVerbs,
    hasSecrets: true,
  },
  {
    command: 'service-accounts',
    kind: 'ServiceAccount',
    path: '/iam/v2/service-accounts',
    columns: [
      ['ID', 'id'],
      ['NAME', 'display_name'],
      ['DESCRIPTION', 'description'],
    ],
    options: named,
    naturalKey: ['display_name'],
    verbs: allVerbs,
  },
  {
    command: 'users',
    kind: 'User',
    path: '/iam/v2/users',
    columns: [
      ['ID', 'id'],
      ['EMAIL', 'email'],
      ['NAME', 'full_name'],
    ],
    options: [
      { name: 'email', description: 'the address', member: 'email', isRequired: true },
      { name: 'name', description: 'the whole name', member: 'full_name' },
    ],
    naturalKey: ['email'],
    verbs: allVerbs,
  },
  {
    command: 'providers',
    kind: 'IdentityProvider',
    path: '/iam/v2/identity-providers',
    columns: [
      ['ID', 'id'],
      ['NAME', 'display_name'],
      ['ISSUER', 'issuer'],
    ],
    options: [
      ...named,
      {
        name: 'issuer',
        description: 'the issuer, letter by letter as in its tokens',
        member: 'issuer',
        isRequired: true,
      },
      { name: 'jwks-uri', description: 'where its keys are', member: 'jwks_uri' },
    ],
    naturalKey: ['display_name'],
    verbs: allVerbs,
  },
  {
    command: 'pools',
    kind: 'IdentityPool',
    path: '/iam/v2/identity-providers/{parent}/identity-pools',
    parent: { option: 'provider', description: 'the id of the identity provider' },
    columns: [
      ['ID', 'id'],
      ['NAME', 'display_name'],
      ['CLAIM', 'identity_claim'],
      ['FILTER', 'filter'],
    ],
    options: [
      ...named,
      {
        name: 'identity-claim',
        description: 'the claim that says who it is',
        member: 'identity_claim',
        isRequired: true,
      },
      {
        name: 'filter',
        description: 'an expression in CEL on claims',
        member: 'filter',
        isRequired: true,
      },
    ],
    naturalKey: ['display_name'],
    verbs: allVerbs,
  },
  {
    command: 'bindings',
    kind: 'RoleBinding',
    path: '/iam/v2/role-bindings',
    columns: [
      ['ID', 'id'],
      ['PRINCIPAL', 'principal'],
      ['ROLE', 'role_name'],
      ['ON', 'crn_pattern'],
    ],
    options: [
      {
        name: 'principal',
        description: 'User:u-…, as the API writes it',
        member: 'principal',
        isRequired: true,
      },
      { name: 'role', description: 'the name of the role', member: 'role_name', isRequired: true },
      { name: 'on', description: 'a CRN pattern', member: 'crn_pattern', isRequired: true },
    ],
    naturalKey: ['principal', 'role_name', 'crn_pattern'],
    verbs: ['list', 'describe', 'create', 'delete'],
  },
  {
    command: 'environments',
    kind: 'Environment',
    path: '/org/v2/environments',
    columns: [
      ['ID', 'id'],
      ['NAME', 'display_name'],
    ],
    options: [
      {
        name: 'name',
        description: 'what people call it',
        member: 'display_name',
        isRequired: true,
      },
    ],
    naturalKey: ['display_name'],
    verbs: allVerbs,
  },
  ...operatorResources,
]
