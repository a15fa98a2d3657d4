import { valueOf } from './documents.ts'
import { allVerbs, type Resource } from './resource.ts'

const partner = { option: 'partner', description: 'the id of the partner' }

/** What the gateway itself is run by: objects of `gatehouse/v1`. */
export const operatorResources: readonly Resource[] = [
  {
    command: 'organizations',
    kind: 'Organization',
    path: '/gatehouse/v1/organizations',
    columns: [
      ['ID', 'id'],
      ['NAME', 'display_name'],
      ['CREATED', 'metadata.created_at'],
    ],
    options: [
      {
        name: 'name',
        description: 'what people call it',
        member: 'display_name',
        isRequired: true,
      },
      {
        name: 'email',
        description: 'the address of its administrator',
        member: 'administrator.email',
        isRequired: true,
      },
    ],
    naturalKey: ['id'],
    verbs: ['list', 'describe', 'create'],
  },
  {
    command: 'partners',
    kind: 'Partner',
    path: '/gatehouse/v1/partners',
    columns: [
      ['ID', 'id'],
      ['NAME', 'display_name'],
      ['STATE', 'state'],
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
  {
    command: 'partner-clients',
    kind: 'PartnerClient',
    path: '/gatehouse/v1/partners/{parent}/clients',
    parent: partner,
    columns: [
      ['ID', 'id'],
      ['NAME', 'display_name'],
      ['METHODS', 'auth_methods'],
      ['SCOPES', 'scopes'],
      ['STATE', 'state'],
    ],
    options: [
      {
        name: 'name',
        description: 'what people call it',
        member: 'display_name',
        isRequired: true,
      },
      {
        name: 'method',
        description: 'how the client shows who it is',
        member: 'auth_methods',
        isList: true,
      },
      { name: 'scope', description: 'a scope it may ask for', member: 'scopes', isList: true },
    ],
    naturalKey: ['display_name'],
    verbs: allVerbs,
    hasSecrets: true,
  },
  {
    command: 'resources',
    kind: 'Resource',
    path: '/gatehouse/v1/resources',
    columns: [
      ['ID', 'id'],
      ['NAME', 'display_name'],
      ['KIND', 'resource.kind'],
      ['RESOURCE', 'resource.id'],
    ],
    options: [
      { name: 'name', description: 'what people call it', member: 'display_name' },
      {
        name: 'kind',
        description: 'as the groups of the gateway call it',
        member: 'resource.kind',
        isRequired: true,
      },
      {
        name: 'resource',
        description: 'its id where it is',
        member: 'resource.id',
        isRequired: true,
      },
      {
        name: 'environment',
        description: 'where the id alone names no single one',
        member: 'resource.environment.id',
      },
    ],
    naturalKey: ['resource.kind', 'resource.id'],
    alsoToldBy: ['resource.environment.id'],
    verbs: allVerbs,
  },
  {
    command: 'grants',
    kind: 'AccessGrant',
    path: '/gatehouse/v1/access-grants',
    columns: [
      ['ID', 'id'],
      ['NAME', 'name'],
      ['ORGANIZATION', 'organization.id'],
    ],
    options: [
      { name: 'name', description: 'what is granted', member: 'name', isRequired: true },
      {
        name: 'organization',
        description: 'who may use it',
        member: 'organization.id',
        isRequired: true,
      },
    ],
    filters: [
      {
        name: 'organization',
        description: 'another than your own; for operators',
        parameter: 'organization',
        member: 'organization.id',
      },
    ],
    naturalKey: ['name', 'organization.id'],
    verbs: ['list', 'describe', 'create', 'delete'],
  },
  {
    command: 'signing-keys',
    kind: 'SigningKey',
    path: '/gatehouse/v1/signing-keys',
    columns: [
      ['ID', 'id'],
      ['ALGORITHM', 'algorithm'],
      ['STATE', 'state'],
      ['UNTIL', 'keep_until'],
    ],
    options: [],
    naturalKey: ['id'],
    verbs: ['list', 'describe'],
  },
  {
    command: 'audit-events',
    kind: 'AuditEvent',
    path: '/gatehouse/v1/audit-events',
    columns: [
      ['ID', 'id'],
      ['TIME', 'metadata.created_at'],
      ['ACTOR', 'actor.id'],
      ['ACTION', 'action'],
      ['SUBJECT', 'subject.id'],
      ['REQUEST', 'request_id'],
    ],
    options: [],
    filters: [
      { name: 'action', description: 'such as api-key.created', parameter: 'action' },
      { name: 'actor', description: 'who did it', parameter: 'actor' },
      { name: 'subject', description: 'the id of what was changed', parameter: 'subject' },
      { name: 'from', description: 'from this moment on (RFC 3339)', parameter: 'from' },
      { name: 'until', description: 'before this moment (RFC 3339)', parameter: 'until' },
      {
        name: 'organization',
        description: 'none: what belongs to none; for operators',
        parameter: 'organization',
      },
    ],
    naturalKey: ['id'],
    verbs: ['list', 'describe'],
  },
  {
    command: 'overrides',
    kind: 'LimitOverride',
    path: '/gatehouse/v1/limit-overrides',
    columns: [
      ['ID', 'id'],
      ['ORGANIZATION', 'organization.id'],
      ['PARTNER', 'partner.id'],
      ['PRINCIPAL', 'principal.id'],
      ['LIMIT', 'limit_name'],
      ['VALUE', 'limit'],
    ],
    options: [
      { name: 'organization', description: 'whose limit it is', member: 'organization.id' },
      { name: 'partner', description: 'in place of an organization', member: 'partner.id' },
      { name: 'principal', description: 'one of the organization', member: 'principal.id' },
      {
        name: 'limit-name',
        description: 'such as standard.user.requests',
        member: 'limit_name',
        isRequired: true,
      },
      { name: 'value', description: 'the limit, a number', member: 'limit', read: valueOf },
    ],
    filters: [
      {
        name: 'organization',
        description: 'another than your own',
        parameter: 'organization',
        member: 'organization.id',
      },
      {
        name: 'partner',
        description: 'those of a partner',
        parameter: 'partner',
        member: 'partner.id',
      },
    ],
    naturalKey: ['limit_name'],
    alsoToldBy: ['organization.id', 'partner.id', 'principal.id'],
    verbs: allVerbs,
  },
]
