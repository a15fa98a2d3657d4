import type { Service } from '../gateway/service.ts'
import { createApi } from '../resource-api/app.ts'
import { serveCollection } from '../resource-api/serve-collection.ts'
import { environments } from './environments.ts'
import { organizations } from './organizations.ts'
import type { OrgParts } from './parts.ts'

/** What a tenant is and has: the group `org/v2`, which config/apis/org.yaml describes. */
export function createOrgService(parts: OrgParts): Service {
  return createApi((app) => {
    serveCollection(app, parts, organizations(parts))
    serveCollection(app, parts, environments(parts))
  })
}
