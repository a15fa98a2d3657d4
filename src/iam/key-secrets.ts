import type { ListedApiKey } from '../directory/api-keys.ts'
import type { Secrets } from '../resource-api/serve-secrets.ts'
import type { IamParts } from './parts.ts'

/** The secrets of API keys. */
export function keySecrets({ directory }: IamParts): Secrets<ListedApiKey> {
  const { apiKeys: keys } = directory
  return {
    add: async (keyId, otherExpiresAtMs, { actor }, check) => {
      const { key, secret } = await keys.addSecret({ keyId, otherExpiresAtMs }, actor, check)
      return { record: key, once: { spec: { secret } } }
    },
    retireOlder: (id, { actor }, check) => keys.retireOlderSecret(id, actor, check),
  }
}
