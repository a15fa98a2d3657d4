import type { Service } from '../gateway/service.ts'
import { createApi } from '../resource-api/app.ts'
import { serveCollection } from '../resource-api/serve-collection.ts'
import { appliedQuotas } from './applied-quotas.ts'
import type { QuotaParts } from './parts.ts'
import { scopes } from './scopes.ts'

/** What callers may use and have used: the group `service-quota/v1`, which config/apis/quota.yaml describes. */
export function createQuotaService(parts: QuotaParts): Service {
  return createApi((app) => {
    serveCollection(app, parts, appliedQuotas(parts))
    serveCollection(app, parts, scopes(parts))
  })
}
