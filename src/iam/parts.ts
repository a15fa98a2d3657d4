import type { CompileFilter } from '../auth/pools/filter.ts'
import type { Directory } from '../directory/directory.ts'
import type { ApiParts } from '../resource-api/serve-collection.ts'

/** What the collections of the group are made of. */
export type IamParts = ApiParts & {
  readonly directory: Pick<
    Directory,
    'principals' | 'apiKeys' | 'identityProviders' | 'identityPools' | 'roleBindings'
  >
  /** Authority of the names of objects. */
  readonly crnAuthority: string
  /** Those of the configuration, by name. */
  readonly roles: Readonly<Record<string, unknown>>
  readonly loadFilterCompiler: () => Promise<CompileFilter>
  /** Whether key sets may be fetched from an address. */
  readonly mayFetch: (url: string) => boolean
}
