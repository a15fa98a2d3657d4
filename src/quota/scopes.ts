import { z } from 'zod'
import type { Collection } from '../resource-api/collection.ts'
import { partOf } from '../resource-api/part-of.ts'
import type { QuotaParts } from './parts.ts'

type Listed = { readonly id: string; readonly description: string }

/** As the API names what a quota is counted for. */
export const shownScope = { organization: 'ORGANIZATION', user: 'USER_ACCOUNT' } as const

/** Those of clients of similar surfaces are taken too; no quota has them. */
export const acceptedScopes = [
  ...Object.values(shownScope),
  'ENVIRONMENT',
  'NETWORK',
  'KAFKA_CLUSTER',
  'SERVICE_ACCOUNT',
] as const

const all: readonly Listed[] = [
  { id: shownScope.organization, description: 'All of an organization are counted together.' },
  { id: shownScope.user, description: 'Each user, service account and pool is counted by itself.' },
]

/** What quotas are counted for. */
export function scopes({ crnAuthority }: QuotaParts): Collection<Listed, object> {
  return {
    apiVersion: 'service-quota/v1',
    kind: 'Scope',
    path: '/service-quota/v1/scopes',
    crn: ({ id }) => ({ authority: crnAuthority, elements: [{ kind: 'scope', id }] }),
    members: ({ description }) => ({ description }),
    isOf: () => true,
    filter: z.object({}),
    list: (_scope, part) => Promise.resolve(partOf(all, part)),
    count: () => Promise.resolve(all.length),
    find: (id) => Promise.resolve(all.find((scope) => scope.id === id)),
  }
}
