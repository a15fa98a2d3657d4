import { z } from 'zod'
import type { KeyResource } from '../directory/key-record.ts'
import { anyId } from '../resource-api/fields.ts'
import { invalidFields } from '../resource-api/json-body.ts'

/** What a key is to open, as bodies say it; null and absent: the control plane. */
export const Resource = z
  .object({
    id: anyId,
    api_version: z.string().nullish(),
    kind: anyId.nullish(),
    environment: z.object({ id: anyId }).nullish(),
  })
  .nullish()

/** Resources that clients name by API group and kind, as what the gateway's groups call them. */
const known = [
  { group: 'cmk', version: 'cmk/v2', kind: 'Cluster', prefix: 'lkc-', is: 'kafka-cluster' },
  { group: 'srcm', version: 'srcm/v3', kind: 'Cluster', prefix: 'lsrc-', is: 'schema-registry' },
  { group: 'ksqldbcm', version: 'ksqldbcm/v2', kind: 'Cluster', prefix: 'lksqlc-', is: 'ksqldb' },
  { group: 'fcpm', version: 'fcpm/v2', kind: 'Region', prefix: undefined, is: 'flink-region' },
] as const

/** Kinds that clients name without an API group. */
const synonyms: Readonly<Record<string, string>> = {
  SchemaRegistry: 'schema-registry',
  ksqlDB: 'ksqldb',
}

/**
 * The resource that a body names.
 *
 * @throws {GatewayError} VALIDATION_FAILED where the kind is not told by anything
 */
export function keyResourceOf(resource: z.infer<typeof Resource>): KeyResource {
  if (resource === null || resource === undefined || resource.kind === 'Cloud')
    return { kind: 'cloud' }
  const { id, api_version: version, kind, environment } = resource
  if (kind === 'Global' || version?.startsWith('global/') === true) return { kind: 'global' }
  return {
    kind: 'resource',
    resourceKind: kindOf(id, version ?? undefined, kind ?? undefined),
    id,
    environment: environment?.id,
  }
}

/** A key's resource as objects show it; null: the control plane. */
export function shownResource(resource: KeyResource): object | null {
  if (resource.kind === 'cloud') return null
  if (resource.kind === 'global') return { id: 'global', api_version: 'global/v1', kind: 'Global' }
  const { id, resourceKind, environment } = resource
  const alias = known.find(({ is }) => is === resourceKind)
  return {
    id,
    ...(alias === undefined
      ? { kind: resourceKind }
      : { api_version: alias.version, kind: alias.kind }),
    ...(environment === undefined ? {} : { environment: { id: environment } }),
  }
}

function kindOf(id: string, version: string | undefined, kind: string | undefined): string {
  const group = version?.split('/')[0]
  const alias = known.find((each) =>
    kind === undefined
      ? each.prefix !== undefined && id.startsWith(each.prefix)
      : each.kind === kind && (group === undefined ? hasPrefix(each, id) : each.group === group),
  )
  const found = alias?.is ?? (kind === undefined ? undefined : (synonyms[kind] ?? kind))
  if (found !== undefined) return found
  throw invalidFields([{ pointer: '/spec/resource/kind', message: 'Is required for this id' }])
}

function hasPrefix({ prefix }: (typeof known)[number], id: string): boolean {
  return prefix === undefined || id.startsWith(prefix)
}
