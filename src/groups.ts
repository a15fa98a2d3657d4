import { compileCatalog, type Catalog } from './catalog/catalog.ts'
import type { Configuration } from './config/schema.ts'
import type { ApiGroup } from './gateway/api-group.ts'
import { connectUpstream, type Upstream } from './gateway/upstream.ts'
import type { LimitClass } from './limits/admission.ts'

/** The API groups of a configuration, compiled, with their upstreams connected. */
export type CompiledGroups = {
  readonly catalog: Catalog<ApiGroup>
  readonly upstreams: readonly Upstream[]
  readonly warnings: readonly string[]
}

type GroupConfiguration = Configuration['apiGroups'][number]
type ClassConfiguration = Configuration['limits']['classes'][string]

/** @throws {CatalogError} where the OpenAPI documents do not compile */
export async function compileGroups(configuration: Configuration): Promise<CompiledGroups> {
  const groups = configuration.apiGroups.map((group) => apiGroup(group, configuration))
  const { catalog, warnings } = await compileCatalog(groups)
  return { catalog, warnings, upstreams: groups.map(({ upstream }) => upstream) }
}

function apiGroup(group: GroupConfiguration, configuration: Configuration): ApiGroup {
  const { limits, requests, schemes } = configuration
  return {
    name: group.name,
    documentPath: group.document,
    mount: group.mount,
    basePath: group.basePath,
    hosts: group.hosts,
    schemes: { ...schemes, ...group.schemes },
    undeclaredSecurity: group.undeclaredSecurity,
    resource: group.resource,
    errorProfile: group.errorProfile,
    limitClass: limitClass(group.limitClass, limits.classes[group.limitClass]),
    maxBodyBytes: group.maxBodyBytes ?? requests.maxBodyBytes,
    upstream: connectUpstream(group.upstream),
  }
}

function limitClass(name: string, limits: ClassConfiguration | undefined): LimitClass {
  if (limits === undefined) throw new Error(`The configuration let an unknown limit class through`)
  return { name, user: scopeLimits(limits.user), organization: scopeLimits(limits.organization) }
}

type ScopeConfiguration = ClassConfiguration['user']

function scopeLimits({ requests, windowSeconds, concurrent, whenUnavailable }: ScopeConfiguration) {
  return {
    whenUnavailable,
    ...(requests === undefined || windowSeconds === undefined
      ? {}
      : { window: { requests, windowMs: windowSeconds * 1_000 } }),
    ...(concurrent === undefined ? {} : { concurrent }),
  }
}
