import type { Service } from '../gateway/service.ts'
import { createApi } from '../resource-api/app.ts'
import { serveCollection } from '../resource-api/serve-collection.ts'
import { serveSecrets } from '../resource-api/serve-secrets.ts'
import { accessGrants } from './access-grants.ts'
import { auditEvents } from './audit-events.ts'
import { clientSecrets } from './client-secrets.ts'
import { serveExplanations } from './explanations.ts'
import { limitOverrides } from './limit-overrides.ts'
import { operatorsOnly } from './operators-only.ts'
import { organizations } from './organizations.ts'
import { partnerClients } from './partner-clients.ts'
import { partners } from './partners.ts'
import type { GovernanceParts } from './parts.ts'
import { resources } from './resources.ts'
import { serveRotation, signingKeys } from './signing-keys.ts'

/** What the gateway itself is run by: the group `gatehouse/v1`, which config/apis/gatehouse.yaml describes. */
export function createGovernanceService(parts: GovernanceParts): Service {
  return createApi((app) => {
    app.use(operatorsOnly(parts.isOperator))
    serveCollection(app, parts, organizations(parts))
    serveCollection(app, parts, partners(parts))
    serveCollection(app, parts, partnerClients(parts))
    serveSecrets(app, parts, partnerClients(parts), clientSecrets(parts))
    serveCollection(app, parts, resources(parts))
    serveCollection(app, parts, accessGrants(parts))
    serveCollection(app, parts, signingKeys(parts))
    serveRotation(app, parts)
    serveCollection(app, parts, auditEvents(parts))
    serveCollection(app, parts, limitOverrides(parts))
    serveExplanations(app, parts.explain)
  })
}
