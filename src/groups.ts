import { compileRoles, type Roles } from './auth/roles/role.ts'
import { compileCatalog, type Catalog } from './catalog/catalog.ts'
import { CatalogError } from './catalog/catalog-error.ts'
import type { Configuration } from './config/schema.ts'
import { isReserved } from './documentation/reserved-paths.ts'
import { countedOf, countingProblems } from './counted-resources.ts'
import type { ApiGroup } from './gateway/api-group.ts'
import { isLoopback } from './gateway/client.ts'
import type { UpstreamTls } from './gateway/instance.ts'
import { createPublicLink, type PublicLink } from './gateway/public-links.ts'
import type { Service } from './gateway/service.ts'
import { readPem } from './gateway/tls.ts'
import { connectUpstream, type Upstream, type UpstreamOptions } from './gateway/upstream.ts'
import { limitClasses, type GroupLimits } from './limit-classes.ts'

/** The API groups of a configuration, compiled. */
export type CompiledGroups = {
  readonly catalog: Catalog<ApiGroup>
  readonly roles: Roles
  readonly upstreams: readonly Upstream[]
  readonly warnings: readonly string[]
}

type GroupConfiguration = Configuration['apiGroups'][number]

/** Services of this process that groups name. */
export type Services = Readonly<Record<ServiceName, Service>>

type ServiceName = NonNullable<GroupConfiguration['service']>

/** How the upstream of a group is reached. */
export type ConnectGroup = (groupName: string, options: UpstreamOptions) => Upstream

/**
 * @param services absent where nothing is going to be served
 * @throws {CatalogError} where the OpenAPI documents or the roles do not compile
 */
export async function compileGroups(
  configuration: Configuration,
  services?: Promise<Services>,
  connect: ConnectGroup = (_name, options) => connectUpstream(options),
): Promise<CompiledGroups> {
  const classes = limitClasses(configuration.limits)
  const tls = await Promise.all(configuration.apiGroups.map(readUpstreamTls))
  const groups = configuration.apiGroups.map((group, place) => {
    const limits = classes.get(group.limitClass)
    if (limits === undefined) throw new Error('The configuration let an unknown class through')
    const upstream = upstreamOf(group, services, (name, options) =>
      connect(name, { ...options, tls: tls[place] }),
    )
    return apiGroup(group, configuration, limits, upstream)
  })
  const { catalog, warnings } = await compileCatalog(groups)
  const { roles, problems } = compileRoles(configuration.roles, catalog.operations)
  const all = [
    ...problems,
    ...reservedProblems(configuration, catalog),
    ...countingProblems(configuration, catalog.operations),
  ]
  if (all.length > 0) throw new CatalogError(all)
  const unnamed = namelessWarning(configuration)
  const upstreams = groups.flatMap(({ upstream }) => (upstream.kind === 'network' ? upstream : []))
  return { catalog, roles, warnings: [...unnamed, ...warnings], upstreams }
}

/** What the gateway serves itself no group can: a literal path there would never be reached. */
function reservedProblems(
  { documentation }: Configuration,
  { operations }: Catalog<ApiGroup>,
): readonly string[] {
  if (documentation.audience === 'nobody') return []
  return operations
    .filter(({ path }) => isReserved(path))
    .map(
      ({ id }) =>
        `${id}: the gateway's documentation has this path; mount the group elsewhere, or set documentation.audience to "nobody"`,
    )
}

/**
 * Without an origin we are named by the listener's address, in what we sign and in where clients are
 * sent. That is right on one machine only.
 */
function namelessWarning(configuration: Configuration): readonly string[] {
  const { publicOrigin, tokens, directory, listen, apiGroups } = configuration
  const isAlone = (directory.url ?? '') === '' && isLoopback(listen.public.host)
  if (publicOrigin !== undefined || isAlone) return []
  const signing = apiGroups.filter(
    ({ service, upstream }) => service !== undefined || upstream?.assertionAudience !== undefined,
  )
  const names = signing.map(({ name }) => `"${name}"`).join(', ')
  if (signing.length > 0)
    return [`groups that need to know who we are (${names}), but no "publicOrigin" says it`]
  if (tokens.issuer === undefined) return []
  return ['"tokens" names an issuer, but there is no "publicOrigin" that its endpoints are under']
}

function apiGroup(
  group: GroupConfiguration,
  { requests, schemes, publicOrigin, limits: { countedResources } }: Configuration,
  limits: GroupLimits,
  upstream: ApiGroup['upstream'],
): ApiGroup {
  return {
    name: group.name,
    documentPath: group.document,
    mount: group.mount,
    basePath: group.basePath,
    hosts: group.hosts,
    schemes: { ...schemes, ...group.schemes },
    undeclaredSecurity: group.undeclaredSecurity,
    earlyAccess: group.earlyAccess,
    retirements: group.retirements,
    resource: group.resource,
    crn: group.crn,
    authorization: group.authorization ?? defaultAuthorization(group.service),
    hideExistence: group.hideExistence,
    errorProfile: group.errorProfile,
    quotaErrors: group.quotaErrors.map((phrase) => phrase.toLowerCase()),
    ...limits,
    countedOf: countedOf(group, countedResources),
    maxBodyBytes: group.maxBodyBytes ?? requests.maxBodyBytes,
    minBodyBytesPerSecond: group.minBodyBytesPerSecond ?? requests.minBodyBytesPerSecond,
    publicLink: publicLinkOf(group, publicOrigin),
    validateRequests: group.validateRequests,
    maxValidatedBodyBytes: group.maxValidatedBodyBytes,
    upgrades: group.upgrades,
    upgradeIdleTimeoutMs: group.upgradeIdleTimeoutMs,
    upstream,
  }
}

function publicLinkOf(
  { mount, upstream }: GroupConfiguration,
  publicOrigin: string | undefined,
): PublicLink | undefined {
  if (upstream === undefined) return undefined
  const weighted = [...(upstream.instances ?? []), ...(upstream.canary?.instances ?? [])]
  const instances = [...(upstream.urls ?? []), ...weighted.map(({ url }) => url)]
  return createPublicLink({ publicOrigin, mount, instances })
}

/** @throws {CatalogError} where a file cannot be read */
async function readUpstreamTls({
  name,
  upstream,
}: GroupConfiguration): Promise<UpstreamTls | undefined> {
  const { ca, certificate, key } = upstream?.tls ?? {}
  const read = async (file: string | undefined) => (file === undefined ? undefined : readPem(file))
  try {
    const pem = { ca: await read(ca), cert: await read(certificate), key: await read(key) }
    return upstream?.tls && pem
  } catch (error) {
    throw new CatalogError([`group "${name}": upstream.tls: ${String(error)}`])
  }
}

/** Services whose callers show by what they present what they may do. */
const decidingThemselves: ReadonlySet<string> = new Set(['sts', 'oauth'])

/** Other people's services know their own rules; our own resources have none beside the roles. */
function defaultAuthorization(service: string | undefined): ApiGroup['authorization'] {
  return service === undefined || decidingThemselves.has(service) ? 'upstream' : 'roles'
}

function upstreamOf(
  { name: groupName, service: name, upstream }: GroupConfiguration,
  services: Promise<Services> | undefined,
  connect: ConnectGroup,
): ApiGroup['upstream'] {
  if (upstream !== undefined) return connect(groupName, { ...upstream, tls: undefined })
  if (name === undefined) throw new Error('The configuration let a group without upstream through')
  return {
    kind: 'service',
    service: async (request, caller) => {
      if (services === undefined) throw new Error('Nothing is served')
      return (await services)[name](request, caller)
    },
  }
}
