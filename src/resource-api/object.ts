import { formatCrn } from '../crn/crn.ts'
import type { Collection, Recorded } from './collection.ts'
import { mergePatch } from './merge-patch.ts'
import type { Scope } from './scope.ts'

/** An object as the API shows it, and where it is. */
export type Rendered = { readonly body: object; readonly self: string }

/**
 * Show an object in the object model: `api_version`, `kind`, `id`, `metadata`, and its own members.
 *
 * @param once members that are shown this once
 */
export function render<Listed extends Recorded, Filter>(
  collection: Collection<Listed, Filter>,
  publicOrigin: string,
  scope: Scope,
  record: Listed,
  once: object = {},
): Rendered {
  const self = `${addressOf(collection.path, publicOrigin, scope)}/${encodeURIComponent(record.id)}`
  const body = {
    api_version: collection.apiVersion,
    kind: collection.kind,
    id: record.id,
    metadata: {
      self,
      resource_name: formatCrn(collection.crn(record, scope)),
      ...(record.createdAtMs === undefined ? {} : { created_at: timeOf(record.createdAtMs) }),
      ...(record.updatedAtMs === undefined ? {} : { updated_at: timeOf(record.updatedAtMs) }),
    },
    ...mergePatch(collection.members(record), once),
  }
  return { body, self }
}

/** Where a collection is, with the parameters of the request in its path. */
export function addressOf(path: string, publicOrigin: string, scope: Scope): string {
  const filled = path.replaceAll(/:([a-z_]+)/g, (_, name: string) =>
    encodeURIComponent(scope.parameter(name)),
  )
  return publicOrigin + filled
}

/** RFC 3339, to the millisecond. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}
