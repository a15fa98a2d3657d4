import type { Service } from '../gateway/service.ts'
import { createApi } from '../resource-api/app.ts'
import { serveCollection } from '../resource-api/serve-collection.ts'
import { serveSecrets } from '../resource-api/serve-secrets.ts'
import { apiKeys } from './api-keys.ts'
import { identityPools } from './identity-pools.ts'
import { identityProviders } from './identity-providers.ts'
import { keySecrets } from './key-secrets.ts'
import type { IamParts } from './parts.ts'
import { serviceAccounts, users } from './principals.ts'
import { roleBindings } from './role-bindings.ts'

/** Who may call, and by what: the group `iam/v2`, which config/apis/iam.yaml describes. */
export function createIamService(parts: IamParts): Service {
  return createApi((app) => {
    serveCollection(app, parts, apiKeys(parts))
    serveSecrets(app, parts, apiKeys(parts), keySecrets(parts))
    serveCollection(app, parts, serviceAccounts(parts))
    serveCollection(app, parts, users(parts))
    serveCollection(app, parts, identityProviders(parts))
    serveCollection(app, parts, identityPools(parts))
    serveCollection(app, parts, roleBindings(parts))
  })
}
