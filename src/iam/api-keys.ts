import { z } from 'zod'
import { formatCrn, within, type Crn } from '../crn/crn.ts'
import { organizationCrn } from '../crn/organization.ts'
import type { ListedApiKey } from '../directory/api-keys.ts'
import type { Collection } from '../resource-api/collection.ts'
import { anyId, description, displayName, moment } from '../resource-api/fields.ts'
import { invalidFields, validated } from '../resource-api/json-body.ts'
import { timeOf } from '../resource-api/object.ts'
import type { Scope } from '../resource-api/scope.ts'
import { keyResourceOf, Resource, shownResource } from './key-resource.ts'
import type { IamParts } from './parts.ts'

const Described = z.object({
  display_name: displayName.or(z.literal('')).default(''),
  description: description.default(''),
  expires_at: moment.nullish(),
})
const NewKey = z.object({
  spec: Described.extend({ owner: z.object({ id: anyId }), resource: Resource }),
})
const ChangedKey = z.object({ spec: Described.prefault({}) })

type KeyFilter = {
  readonly 'spec.owner'?: string | undefined
  readonly 'spec.resource'?: string | undefined
}

/** API keys of users and service accounts. */
export function apiKeys(parts: IamParts): Collection<ListedApiKey, KeyFilter> {
  const { apiKeys: keys } = parts.directory
  return {
    apiVersion: 'iam/v2',
    kind: 'ApiKey',
    path: '/iam/v2/api-keys',
    crn: (key) => within(ownerCrn(key, parts), 'api-key', key.id),
    members: (key) => ({ spec: specOf(key, parts), status: statusOf(key) }),
    isOf: ({ organizationId }, key) => key.organizationId === organizationId,
    filter: z.object({ 'spec.owner': anyId.optional(), 'spec.resource': anyId.optional() }),
    list: ({ organizationId }, part, filter) => keys.list(organizationId, part, columnsOf(filter)),
    count: ({ organizationId }, filter) => keys.count(organizationId, columnsOf(filter)),
    find: keys.find,
    create: {
      status: 202,
      make: async (body, scope) => {
        const { key: record, secret } = await make(body, scope, parts)
        return { record, once: { spec: { secret } } }
      },
    },
    update: {
      immutable: ['/spec/owner/id', '/spec/resource'],
      make: (id, patched, { actor }) => {
        const edit = (before: ListedApiKey) => {
          const { spec } = validated(ChangedKey, patched(before))
          return {
            displayName: spec.display_name,
            description: spec.description,
            expiresAtMs: spec.expires_at ?? undefined,
          }
        }
        return keys.update(id, edit, actor)
      },
    },
    remove: (id, { actor }, check) => keys.delete(id, actor, check),
  }
}

async function make(body: object, { organizationId, actor }: Scope, { directory }: IamParts) {
  const { spec } = validated(NewKey, body)
  const resource = keyResourceOf(spec.resource)
  const owner = await directory.principals.find(spec.owner.id)
  if (owner?.organizationId !== organizationId)
    throw invalidFields([{ pointer: '/spec/owner/id', message: 'Does not exist' }])
  const key = {
    ownerId: owner.id,
    resource,
    displayName: spec.display_name,
    description: spec.description,
    ...(typeof spec.expires_at === 'number' ? { expiresAtMs: spec.expires_at } : {}),
  }
  return directory.apiKeys.create(key, actor)
}

function columnsOf(filter: KeyFilter) {
  return { ownerId: filter['spec.owner'], resource: filter['spec.resource'] }
}

function specOf(key: ListedApiKey, parts: IamParts): object {
  const [kind, collection] = owners[key.ownerKind]
  return {
    display_name: key.displayName,
    description: key.description,
    owner: {
      id: key.ownerId,
      api_version: 'iam/v2',
      kind,
      related: `${parts.publicOrigin}/iam/v2/${collection}/${key.ownerId}`,
      resource_name: formatCrn(ownerCrn(key, parts)),
    },
    resource: shownResource(key.resource),
    ...(key.expiresAtMs === undefined ? {} : { expires_at: timeOf(key.expiresAtMs) }),
  }
}

function statusOf({ state, lastUsedAtMs }: ListedApiKey): object {
  return {
    phase: state.toUpperCase(),
    ...(lastUsedAtMs === undefined ? {} : { last_used_at: timeOf(lastUsedAtMs) }),
  }
}

const owners = {
  user: ['User', 'users'],
  'service-account': ['ServiceAccount', 'service-accounts'],
} as const

function ownerCrn(key: ListedApiKey, { crnAuthority }: IamParts): Crn {
  return within(organizationCrn(crnAuthority, key.organizationId), key.ownerKind, key.ownerId)
}
