import type { AddressInfo } from 'node:net'
import { createReadAppliedQuotas } from './applied-quotas.ts'
import { createAuthenticator } from './auth/authenticate.ts'
import { createAuthorizeByRoles } from './auth/roles/authorize.ts'
import type { Catalog } from './catalog/catalog.ts'
import type { Configuration } from './config/schema.ts'
import { openDirectory, type Directory } from './directory/directory.ts'
import type { ApiGroup } from './gateway/api-group.ts'
import { adminServer, createAdmin, type Readiness } from './gateway/admin.ts'
import { createChain } from './gateway/chain.ts'
import { isLoopback } from './gateway/client.ts'
import { createLoadShedding } from './gateway/load-shedding.ts'
import type { Reference } from './gateway/steps/reference.ts'
import { createListener } from './gateway/listener.ts'
import { strictTransport } from './gateway/secured-response.ts'
import { createPublicServer } from './gateway/server.ts'
import { createControlPlane } from './control-plane.ts'
import { createMatchesCrn } from './crn-matching.ts'
import { createCredentials } from './credentials.ts'
import { defineGatewayMetrics } from './gateway-metrics.ts'
import { createDocumentation } from './documentation/documentation.ts'
import { createExplain } from './explain.ts'
import type { Services } from './groups.ts'
import { createReloader, type LoadConfiguration } from './reload.ts'
import { createServing } from './serving.ts'
import { followCertificate, openTls } from './tls-listening.ts'
import { checkKeyFiles } from './signing.ts'
import { createAdmission } from './limits/admission.ts'
import { createCounting } from './limits/counting.ts'
import { connectRedis, type RedisConnection } from './redis/connection.ts'
import type { AccessRecord } from './telemetry/access-line.ts'
import { createAccessSampling } from './telemetry/access-sampling.ts'
import type { Log } from './telemetry/log.ts'
import { createMetrics, metricsContentType, type MetricValues } from './telemetry/metrics.ts'
import { watchProcess } from './telemetry/process-readings.ts'
import { createTraffic } from './telemetry/traffic.ts'
import type { Tracing } from './telemetry/tracing.ts'

/** Where the process writes what happens in it. */
export type AppLog = Pick<Log, 'info' | 'warn' | 'error' | 'access'>

/** A gateway that has been put together and listens when it is told to. */
export type App = {
  readonly directory: Directory
  /** What works but may not be meant, as sentences. */
  readonly warnings: readonly string[]
  listen(): Promise<Addresses>
  /** Listen without the admin listener, which is the primary's. */
  readonly listenAsWorker: () => Promise<AddressInfo>
  readonly readiness: () => Readiness
  readonly metricValues: () => Promise<MetricValues>
  /** Requests whose response has not ended. */
  readonly inFlight: () => number
  /** Take over another configuration, or say in the log why not. Never rejects. */
  readonly reload: (load: LoadConfiguration) => Promise<void>
  /** Files beside the configuration whose change asks for a reload. */
  readonly files: () => readonly string[]
  /** Become unready, keep answering for the grace time, let requests finish, close everything. */
  stop(): Promise<void>
}

/** Where the two listeners are. */
export type Addresses = { readonly public: AddressInfo; readonly admin: AddressInfo }

/**
 * The composition root: construct the parts and introduce them to each other.
 *
 * @throws {CatalogError} where the OpenAPI documents do not compile
 * @throws {KeyFileError} where a file of a signing key is bad
 */
export async function createApp(configuration: Configuration, log: AppLog): Promise<App> {
  const { listen, requests, shutdown } = configuration
  // Operations are compiled before anything is opened, and what serves some of them needs a directory.
  const services = Promise.withResolvers<Services>()
  const tls = await openTls(configuration)
  const serving = await createServing(configuration, {
    services: services.promise,
    settled: () => server.settled(),
    log,
  })
  const { warnings } = serving.now()
  // What fails once something is open leaves it open, and the process running.
  await checkKeyFiles(configuration.tokens)
  const directory = await openConfiguredDirectory(configuration, log)
  const redis = await openRedis(configuration)
  const admission = createAdmission({
    ...admissionOptions(configuration),
    redis,
    overrides: directory.limitOverrideFinder,
    log,
  })
  const counting = createCounting({
    record: directory.resourceCounts,
    overrides: directory.limitOverrideFinder,
    leaseMs: configuration.limits.leaseSeconds * 1_000,
    log,
  })
  const publicOrigin = originOf(configuration)
  const credentials = await createCredentials(configuration.tokens, publicOrigin, directory, log)
  const controlPlane = createControlPlane(
    configuration,
    publicOrigin,
    directory,
    credentials.signingKeys,
    createExplain({
      catalog: () => serving.now().catalog,
      findLimits: admission.findLimits,
      overrides: directory.limitOverrideFinder,
      publicOrigin,
    }),
    createReadAppliedQuotas({ limits: () => serving.now().limits, admission, directory }),
  )
  services.resolve({ ...credentials.services, ...controlPlane })
  const traffic = createTraffic()
  const tracing = await openConfiguredTracing(configuration, log)
  const isWritten = createAccessSampling(configuration.log.accessSampleRatio, Math.random)
  const writeAccess = (record: AccessRecord): void => {
    traffic.count(record)
    if (isWritten(record)) log.access(record)
  }
  const shedding =
    configuration.loadShedding &&
    createLoadShedding(configuration.loadShedding, () => server.inFlight(), log)
  const chain = createChain({
    catalog: () => serving.now().catalog,
    reference: referenceOf(configuration, () => serving.now().catalog, publicOrigin),
    shed: shedding?.refuse,
    authenticate: createAuthenticator({
      findApiKey: directory.findApiKey,
      findNoApiKey: directory.findNoApiKey,
      verifyBearer: credentials.verifyBearer,
      digestSecret: directory.digestSecret,
      noteKeyUse: directory.touchLastUsed,
      now: Date.now,
      realm: 'gatehouse',
    }),
    poolField: configuration.tokens.poolField,
    authorizeByRoles: createAuthorizeByRoles({
      roles: () => serving.now().roles,
      findRoleBindings: directory.findRoleBindings,
      matchesCrn: createMatchesCrn(),
      crnAuthority: configuration.crnAuthority,
    }),
    findGrants: directory.findGrants,
    admit: admission.admit,
    admitAddress: admission.admitAddress,
    beginCounting: counting.begin,
    assertIdentity: credentials.assertIdentity,
    publicOrigin,
    idleTimeoutMs: requests.idleTimeoutMs,
    headersTimeoutMs: requests.headersTimeoutMs,
    writeAccess,
    beginTrace: tracing?.begin,
  })
  const listener = createListener({
    chain,
    headLimits: requests,
    findClient: (peer, forwardedFor) => serving.now().findClient(peer, forwardedFor),
    loopback: isLoopback(listen.public.host),
    publicOrigin,
    encrypted: tls !== undefined,
    securityBehindProxy: strictTransport(configuration.transport.hstsSeconds),
    writeAccess,
  })
  const server = createPublicServer(
    requests,
    listener,
    tls,
    listen.public.proxyProtocol
      ? (peer) => serving.now().findClient(peer, undefined).behindProxy
      : undefined,
  )
  const certificate = tls && (await followCertificate(configuration, tls, server.renew, log))
  let isAccepting = true
  const metrics = createMetrics()
  const processReadings = watchProcess()
  const reloader = createReloader(configuration, serving, log)
  defineGatewayMetrics(metrics, {
    traffic,
    inFlight: server.inFlight,
    isAccepting: () => isAccepting,
    limits: admission.health,
    counting: counting.health,
    directory,
    credentials: credentials.counts,
    reloads: reloader.counts,
    upstreams: serving.upstreams,
    shed: () => shedding?.counts(),
    process: processReadings,
    certificateExpiresAtMs: () => certificate?.expiresAtMs(),
  })
  const readiness = (): Readiness => ({
    isAccepting,
    inFlight: server.inFlight(),
    parts: {
      directory: directory.health(),
      limits: admission.health(),
      counting: counting.health(),
    },
  })
  const admin = createAdmin({
    readiness,
    metrics: { text: metrics.text, contentType: metricsContentType },
  })
  const adminListener = adminServer(admin)

  return {
    directory,
    warnings,
    inFlight: server.inFlight,
    reload: reloader.reload,
    files: serving.files,
    readiness,
    metricValues: metrics.values,
    async listen() {
      return {
        public: await server.listen(listen.public),
        admin: await adminListener.listen(listen.admin),
      }
    },
    listenAsWorker: () => server.listen(listen.public),
    async stop() {
      isAccepting = false
      server.retire()
      await certificate?.close()
      await new Promise((resolve) => setTimeout(resolve, shutdown.readinessGraceMs))
      await server.drain(shutdown.timeoutMs)
      shedding?.close()
      await serving.close()
      await credentials.close()
      await counting.close()
      await admission.close()
      redis?.close()
      await directory.close()
      await adminListener.close()
      processReadings.close()
      await tracing?.close()
    },
  }
}

/** Open the directory that a configuration names. */
export function openConfiguredDirectory(
  { directory }: Configuration,
  log: AppLog,
): Promise<Directory> {
  const { url, folder, connections, queryTimeoutMs, cache } = directory
  const peppers = directory.pepper?.current.secret === '' ? undefined : directory.pepper
  const cacheLimits = {
    maxEntries: cache.maxEntries,
    maxAgeMs: cache.maxAgeSeconds * 1_000,
    staleMs: cache.staleSeconds * 1_000,
    negativeMs: cache.negativeMs,
  }
  const limits = { connections, queryTimeoutMs, cache: cacheLimits, log }
  if (url === undefined || url === '') return openDirectory({ ...limits, folder, peppers })
  if (peppers === undefined) throw new Error('The configuration let a missing pepper through')
  return openDirectory({ ...limits, url, peppers })
}

/** A library that nobody asked for is not loaded. */
async function openConfiguredTracing(
  { traces }: Configuration,
  log: AppLog,
): Promise<Tracing | undefined> {
  if (traces === undefined) return undefined
  return (await import('./telemetry/tracing.ts')).openTracing({ ...traces, log })
}

async function openRedis({ redis }: Configuration): Promise<RedisConnection | undefined> {
  const { url, sentinel, cluster, username, password, tls } = redis
  const { commandTimeoutMs, connectTimeoutMs } = redis
  const rest = { username, password, tls, commandTimeoutMs, connectTimeoutMs }
  if (sentinel !== undefined) return connectRedis({ ...rest, sentinel })
  if (cluster !== undefined) return connectRedis({ ...rest, cluster })
  if (url === undefined || url === '') return undefined
  return connectRedis({ ...rest, url })
}

function admissionOptions({ limits, redis }: Configuration) {
  return {
    replicas: limits.replicas,
    leaseMs: limits.leaseSeconds * 1_000,
    keyPrefix: redis.keyPrefix,
    unauthenticated: limits.unauthenticated,
    describes: limits.rateLimitFields,
  }
}

function referenceOf(
  { documentation }: Configuration,
  catalog: () => Catalog<ApiGroup>,
  publicOrigin: string,
): Reference | undefined {
  const { audience } = documentation
  if (audience === 'nobody') return undefined
  return { audience, read: createDocumentation(catalog, publicOrigin) }
}

/** Where callers reach us; without a configured origin, the listener's own address. */
function originOf({ publicOrigin, listen }: Configuration): string {
  const { host, port } = listen.public
  const scheme = listen.public.tls === undefined ? 'http' : 'https'
  return publicOrigin ?? `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
