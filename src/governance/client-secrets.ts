import type { ListedPartnerClient } from '../directory/partner-clients.ts'
import type { Secrets } from '../resource-api/serve-secrets.ts'
import type { GovernanceParts } from './parts.ts'

/** The secrets of partners' clients. */
export function clientSecrets({ directory }: GovernanceParts): Secrets<ListedPartnerClient> {
  const { partnerClients: clients } = directory
  return {
    add: async (clientId, otherExpiresAtMs, { actor }, check) => {
      const { client, secret } = await clients.addSecret(
        { clientId, otherExpiresAtMs },
        actor,
        check,
      )
      return { record: client, once: { secret } }
    },
    retireOlder: (id, { actor }, check) => clients.retireOlderSecret(id, actor, check),
  }
}
