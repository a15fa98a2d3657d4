import type { Directory } from '../directory/directory.ts'
import type { ListedSigningKey } from '../directory/signing-keys.ts'
import type { ApiParts } from '../resource-api/serve-collection.ts'
import type { Scope } from '../resource-api/scope.ts'
import type { Explain } from './explanations.ts'

/** What the collections of the group are made of. */
export type GovernanceParts = ApiParts & {
  readonly directory: Pick<
    Directory,
    | 'organizations'
    | 'makeTenant'
    | 'partners'
    | 'partnerClients'
    | 'resources'
    | 'accessGrants'
    | 'auditEvents'
    | 'limitOverrides'
  >
  /** Authority of the names of objects. */
  readonly crnAuthority: string
  /** Whether an organization runs the gateway. */
  readonly isOperator: (organizationId: string) => boolean
  readonly signingKeys: SigningKeys
  readonly explain: Explain
}

/** What an operator does with the keys that our tokens are signed with. */
export type SigningKeys = {
  readonly list: () => Promise<readonly ListedSigningKey[]>
  /** CONFLICT where it is too early, or the keys stand in files. */
  readonly rotate: (actor: Scope['actor'], options?: { readonly force?: boolean }) => Promise<void>
}
