import type { Directory } from '../directory/directory.ts'
import type { ApiParts } from '../resource-api/serve-collection.ts'

/** What the collections of the group are made of. */
export type OrgParts = ApiParts & {
  readonly directory: Pick<Directory, 'organizations' | 'environments'>
  /** Authority of the names of objects. */
  readonly crnAuthority: string
}
