import { defineCountingMetrics } from './counting-metrics.ts'
import type { CredentialCounts } from './credential-counts.ts'
import type { Directory } from './directory/directory.ts'
import type { AdmissionControl } from './limits/admission.ts'
import type { CountingControl } from './limits/counting.ts'
import type { ReloadCounts } from './reload.ts'
import type { LoadShedding } from './gateway/load-shedding.ts'
import type { GuardReading } from './gateway/resilience/guard.ts'
import type { Metrics, Sample } from './telemetry/metrics.ts'
import type { ProcessReadings } from './telemetry/process-readings.ts'
import type { Traffic } from './telemetry/traffic.ts'
import { defineUpstreamMetrics } from './upstream-metrics.ts'

/** Where the numbers come from; each part counts for itself. */
export type MeteredParts = {
  readonly traffic: Pick<Traffic, 'requests' | 'durations'>
  readonly inFlight: () => number
  readonly isAccepting: () => boolean
  readonly limits: AdmissionControl['health']
  readonly counting: CountingControl['health']
  readonly directory: Pick<Directory, 'health' | 'lookUpCounts'>
  readonly credentials: () => CredentialCounts
  readonly reloads: () => ReloadCounts
  /** Undefined where nothing is ever refused for that. */
  readonly shed: () => ReturnType<LoadShedding['counts']> | undefined
  readonly upstreams: () => readonly GuardReading[]
  /** Undefined where the public listener speaks no TLS itself. */
  readonly certificateExpiresAtMs: () => number | undefined
  readonly process: ProcessReadings
}

/** Define every metric of a gateway. Their names, units and meanings are in docs/operations.md. */
export function defineGatewayMetrics(metrics: Metrics, parts: MeteredParts): void {
  defineTraffic(metrics, parts)
  defineAdmission(metrics, parts.limits)
  defineCountingMetrics(metrics, parts.counting)
  defineDirectory(metrics, parts.directory)
  defineCredentials(metrics, parts.credentials)
  defineReloads(metrics, parts.reloads)
  defineUpstreamMetrics(metrics, parts.upstreams)
  metrics.counter({
    name: 'gatehouse_shed_requests_total',
    help: 'Requests that were refused since the process had too much to do.',
    read: () => {
      const shed = parts.shed()
      if (shed === undefined) return []
      return byLabel('reason', { in_flight: shed.inFlight, event_loop_delay: shed.eventLoopDelay })
    },
  })
  metrics.gauge(
    {
      name: 'gatehouse_tls_certificate_expiry_timestamp_seconds',
      help: 'When the certificate of the public listener ends, in seconds since the epoch.',
      read: () => {
        const expiresAtMs = parts.certificateExpiresAtMs()
        return expiresAtMs === undefined ? [] : single(expiresAtMs / 1_000)
      },
    },
    'min',
  )
  defineProcess(metrics, parts.process)
}

function defineTraffic(metrics: Metrics, { traffic, inFlight, isAccepting }: MeteredParts): void {
  metrics.counter({
    name: 'gatehouse_requests_total',
    help: 'Requests whose response has ended.',
    read: () =>
      traffic.requests().map(({ group, operationClass, statusClass, verdict, count }) => ({
        labels: {
          ...{ group, verdict },
          ...{ operation_class: operationClass, status_class: statusClass },
        },
        value: count,
      })),
  })
  for (const [part, help] of [
    ['gateway', "From a request's head to its answer's, less the upstream's share."],
    ['upstream', "From sending a request upstream to the head of the upstream's answer."],
  ] as const) {
    metrics.histogram({
      name: `gatehouse_${part}_duration_seconds`,
      help,
      read: () =>
        traffic.durations().map(({ group, ...of }) => ({ labels: { group }, durations: of[part] })),
    })
  }
  metrics.gauge({
    name: 'gatehouse_requests_in_flight',
    help: 'Requests whose response has not ended.',
    read: () => single(inFlight()),
  })
  metrics.gauge(
    {
      name: 'gatehouse_accepting',
      help: '1 while new requests are taken, 0 while the process drains.',
      read: () => single(isAccepting() ? 1 : 0),
    },
    'min',
  )
}

function defineAdmission(metrics: Metrics, health: MeteredParts['limits']): void {
  metrics.counter({
    name: 'gatehouse_admission_decisions_total',
    help: 'Decisions about requests of known callers.',
    read: () => {
      const { admitted, refused, unavailable } = health().decisions
      return byLabel('outcome', { admitted, refused, unavailable })
    },
  })
  metrics.counter({
    name: 'gatehouse_admission_refusals_total',
    help: 'Refusals of known callers, by what was used up.',
    read: () => {
      const { refused, overQuota, withoutSlot } = health().decisions
      const rate = refused - overQuota - withoutSlot
      return byLabel('reason', { rate, concurrency: withoutSlot, quota: overQuota })
    },
  })
  const counts = [
    ['degraded', 'degraded', 'Admitted by this process alone, while Redis could not be asked.'],
    ['fromTokens', 'from_tokens', 'Admitted without asking Redis, from tokens taken ahead.'],
    [
      'remembered',
      'remembered',
      'Refused without asking Redis, since the window was known to be used up.',
    ],
    ['shadowed', 'shadowed', 'Admitted, though a limit in shadow mode would have refused.'],
  ] as const
  for (const [key, name, help] of counts)
    metrics.counter({
      name: `gatehouse_admission_${name}_total`,
      help,
      read: () => single(health().decisions[key]),
    })
  metrics.gauge({
    name: 'gatehouse_leases_held',
    help: 'Admitted requests that hold a slot of a concurrency limit now.',
    read: () => single(health().heldLeases),
  })
  defineRedis(metrics, health)
}

function defineRedis(metrics: Metrics, health: MeteredParts['limits']): void {
  const redis = (pick: (of: NonNullable<ReturnType<typeof health>['redis']>) => number) => () => {
    const { redis: known } = health()
    return known === undefined ? [] : single(pick(known))
  }
  metrics.gauge(
    {
      name: 'gatehouse_redis_breaker_open',
      help: '1 while Redis is not asked and limits are kept in process.',
      read: redis(({ state }) => (state === 'degraded' ? 1 : 0)),
    },
    'max',
  )
  metrics.counter({
    name: 'gatehouse_redis_outages_total',
    help: 'How often Redis was given up.',
    read: redis(({ outages }) => outages),
  })
  metrics.counter({
    name: 'gatehouse_redis_degraded_seconds_total',
    help: 'Time for which limits were kept in process.',
    read: redis(({ degradedMs }) => degradedMs / 1_000),
  })
  metrics.counter({
    name: 'gatehouse_redis_calls_total',
    help: 'Calls for decisions and leases; one call carries up to 128 of them.',
    read: redis(({ calls }) => calls),
  })
  metrics.counter({
    name: 'gatehouse_redis_failed_calls_total',
    help: 'Of the calls: those that Redis did not answer in time, or refused.',
    read: redis(({ failedCalls }) => failedCalls),
  })
}

function defineDirectory(metrics: Metrics, directory: MeteredParts['directory']): void {
  metrics.gauge(
    {
      name: 'gatehouse_directory_up',
      help: '1 while look-ups are answered by the database, 0 while only what is cached works.',
      read: () => single(directory.health().state === 'up' ? 1 : 0),
    },
    'min',
  )
  metrics.gauge(
    {
      name: 'gatehouse_directory_notifications_arriving',
      help: '1 while changes made elsewhere are told at once.',
      read: () => single(directory.health().notifications === 'arriving' ? 1 : 0),
    },
    'min',
  )
  metrics.counter({
    name: 'gatehouse_directory_lookups_total',
    help: 'Look-ups of credentials, grants and bindings: from memory, or of the database.',
    read: () => {
      const { remembered, asked, withoutDatabase } = directory.lookUpCounts()
      return byLabel('outcome', { remembered, asked, without_database: withoutDatabase })
    },
  })
}

function defineCredentials(metrics: Metrics, counts: MeteredParts['credentials']): void {
  metrics.counter({
    name: 'gatehouse_token_verifications_total',
    help: 'Bearer tokens looked at; failed: what they are held against could not be had.',
    read: () => byLabel('outcome', counts().tokens),
  })
  metrics.counter({
    name: 'gatehouse_key_set_documents_total',
    help: 'Metadata and key sets asked of identity providers.',
    read: () => byLabel('outcome', counts().keySetDocuments),
  })
}

function defineReloads(metrics: Metrics, counts: MeteredParts['reloads']): void {
  metrics.counter({
    name: 'gatehouse_configuration_reloads_total',
    help: 'Reloads of the configuration; refused: the one before it stayed.',
    read: () => {
      const { applied, refused } = counts()
      return byLabel('outcome', { applied, refused })
    },
  })
  metrics.gauge(
    {
      name: 'gatehouse_configuration_current',
      help: '0 while the files hold a configuration that was refused.',
      read: () => single(counts().isCurrent ? 1 : 0),
    },
    'min',
  )
}

function defineProcess(metrics: Metrics, readings: MeteredParts['process']): void {
  metrics.counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time, user and system.',
    read: () => single(readings.cpuSeconds()),
  })
  metrics.gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory.',
    read: () => single(readings.residentBytes()),
  })
  metrics.gauge({
    name: 'process_open_fds',
    help: 'Open file descriptors, on Linux.',
    read: () => {
      const open = readings.openFileDescriptors()
      return open === undefined ? [] : single(open)
    },
  })
  metrics.gauge(
    {
      name: 'process_start_time_seconds',
      help: 'Start of the process, in seconds since the epoch.',
      read: () => single(readings.startedAtSeconds()),
    },
    'max',
  )
  metrics.gauge({
    name: 'nodejs_heap_used_bytes',
    help: 'Memory of JavaScript in use.',
    read: () => single(readings.heapUsedBytes()),
  })
  metrics.gauge(
    {
      name: 'nodejs_eventloop_delay_seconds',
      help: 'How late the event loop was since the metrics were last asked for.',
      read: () => byLabel('statistic', readings.eventLoopDelay()),
    },
    'max',
  )
}

function single(value: number): readonly Sample[] {
  return [{ value }]
}

function byLabel(label: string, values: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }))
}
