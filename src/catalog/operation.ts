import type { SecurityPolicy } from '../auth/policy.ts'
import type { CrnTemplate } from './crn-template.ts'
import type { OpenApiDocument } from './document.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Parameter } from './parameters.ts'
import type { PathTemplate } from './path-template.ts'
import type { Validation } from './validation/validation.ts'

/** What one method does at one path of a group: the unit of matching, policy and limits. */
export type Operation<G> = {
  /** `<group> <METHOD> <served path>`; unique in the catalog. */
  readonly id: string
  readonly operationId: string | undefined
  readonly method: string
  /** As served, parameters in braces: the group's mount, the base path, the document's path. */
  readonly path: string
  readonly template: PathTemplate
  readonly group: G
  readonly security: SecurityPolicy
  readonly lifecycle: Lifecycle
  readonly parameters: readonly Parameter[]
  readonly crn: CrnTemplate
  /** What its requests are held against; undefined where the group does not ask for it. */
  readonly validation: Validation | undefined
  /** Where it is written: the key under `paths` of its document. */
  readonly source: { readonly document: OpenApiDocument; readonly key: string }
}
