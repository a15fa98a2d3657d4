import { apiServices } from '../../support/api-documents.ts'
import { useApi, type Api } from '../../support/api.ts'

/** A gateway with one quota of each kind. */
export function useQuotas(): Api {
  return useApi(
    { user: { requests: 100_000, windowSeconds: 60 }, quotas: ['calls', 'mine'] },
    apiServices,
    {
      quotas: {
        calls: { scope: 'organization', limit: 1_000_000, period: 'month', displayName: 'Calls' },
        mine: { scope: 'user', limit: 100_000, period: 'day' },
        shadowed: { scope: 'organization', limit: 1, period: 'hour', mode: 'shadow' },
      },
      countedResources: {
        clusters: { scope: 'organization', limit: 20, displayName: 'Clusters' },
        drafts: { scope: 'user', limit: 5 },
      },
    },
  )
}
