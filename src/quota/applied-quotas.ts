import { z } from 'zod'
import { formatCrn, within } from '../crn/crn.ts'
import { organizationCrn } from '../crn/organization.ts'
import type { Collection } from '../resource-api/collection.ts'
import { partOf } from '../resource-api/part-of.ts'
import type { Scope } from '../resource-api/scope.ts'
import type { AppliedQuota, QuotaParts } from './parts.ts'
import { acceptedScopes, shownScope } from './scopes.ts'

const narrower = z.string().optional()

const Filter = z.object({
  scope: z.enum(acceptedScopes, `Must be one of ${acceptedScopes.join(', ')}`),
  id: z.string().optional(),
  environment: narrower,
  network: narrower,
  kafka_cluster: narrower,
})
type Filter = z.output<typeof Filter>

/** Whose it is goes with a quota, since it is shown. */
type Listed = AppliedQuota & { readonly organizationId: string; readonly principalId: string }

/** The quotas of the caller and of its organization, and how much of them is used. */
export function appliedQuotas({
  crnAuthority,
  readAppliedQuotas,
}: QuotaParts): Collection<Listed, Filter> {
  return {
    apiVersion: 'service-quota/v1',
    kind: 'AppliedQuota',
    path: '/service-quota/v1/applied-quotas',
    crn: ({ id, organizationId }) =>
      within(organizationCrn(crnAuthority, organizationId), 'applied-quota', id),
    members: ({ organizationId, principalId, ...quota }) => ({
      scope: shownScope[quota.scope],
      display_name: quota.displayName,
      default_limit: quota.defaultLimit,
      applied_limit: quota.appliedLimit,
      ...(quota.usage === undefined ? {} : { usage: quota.usage }),
      ...(quota.period === undefined ? {} : { period: quota.period.toUpperCase() }),
      organization: {
        id: organizationId,
        resource_name: formatCrn(organizationCrn(crnAuthority, organizationId)),
      },
      ...(quota.scope === 'user' ? { user: { id: principalId } } : {}),
    }),
    isOf: () => true,
    filter: Filter,
    list: async (scope, part, filter) => partOf(await matching(scope, filter), part),
    count: async (scope, filter) => (await matching(scope, filter)).length,
    find: async (id, scope) => (await all(scope)).find((quota) => quota.id === id),
  }

  async function all({ organizationId, actor }: Scope): Promise<readonly Listed[]> {
    const quotas = await readAppliedQuotas(organizationId, actor.id)
    return quotas.map((quota) => ({ ...quota, organizationId, principalId: actor.id }))
  }

  async function matching(scope: Scope, filter: Filter): Promise<readonly Listed[]> {
    const { environment, network, kafka_cluster: cluster } = filter
    // No quota is of an environment, a network or a cluster alone.
    if ((environment ?? network ?? cluster) !== undefined) return []
    return (await all(scope)).filter(
      (quota) => shownScope[quota.scope] === filter.scope && quota.id === (filter.id ?? quota.id),
    )
  }
}
