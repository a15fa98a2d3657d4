import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context } from '@opentelemetry/api'
import { TraceState, parseTraceParent, setGlobalErrorHandler } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { AccessRecord } from './access-line.ts'

/** Where traces go, and how many of them. */
export type TracingOptions = {
  /** Where a collector takes OTLP over HTTP as JSON, as `http://collector:4318/v1/traces`. */
  readonly endpoint: string
  /** Sent with each export, as credentials. */
  readonly headers: Readonly<Record<string, string>>
  /** From 0 to 1, decided by the trace's id: whoever decides by it decides alike. */
  readonly sampleRatio: number
  readonly serviceName: string
  /** Deadline of one export. */
  readonly timeoutMs: number
  readonly log: { warn(record: object, message: string): void }
}

/** Traces of requests (OpenTelemetry, W3C Trace Context). */
export type Tracing = {
  /** @param traceparent and tracestate as the caller sent them; what is malformed begins a new trace */
  readonly begin: (traceparent: string | undefined, tracestate: string | undefined) => RequestTrace
  /** Export what is pending. */
  readonly close: () => Promise<void>
}

/** The trace of one request: a span for all of it, and one within for the upstream's part. */
export type RequestTrace = {
  readonly traceId: string
  /** `traceparent` and `tracestate` for the upstream, names and values in turn. */
  readonly upstreamFields: () => readonly string[]
  /** To be called once, with the request's access record. */
  readonly end: (record: AccessRecord) => void
}

/** Without a collector for longer than it takes to gather these, spans are dropped. */
const maxQueueSize = 2_048
const scheduledDelayMillis = 1_000

export function openTracing(options: TracingOptions): Tracing {
  const { endpoint, headers, sampleRatio, serviceName, timeoutMs } = options
  tellFailures(options)
  const exporter = new OTLPTraceExporter({
    url: endpoint,
    headers: { ...headers },
    timeoutMillis: timeoutMs,
  })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName }),
    // Not by the caller's flag: who calls does not decide what we gather.
    sampler: new TraceIdRatioBasedSampler(sampleRatio),
    spanLimits: { attributeValueLengthLimit: 1_024 },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize,
        scheduledDelayMillis,
        exportTimeoutMillis: timeoutMs,
      }),
    ],
  })
  const tracer = provider.getTracer('gatehouse')
  return {
    begin(traceparent, tracestate) {
      const server = tracer.startSpan(
        'request',
        { kind: SpanKind.SERVER },
        callersContext(traceparent, tracestate),
      )
      const within = trace.setSpan(ROOT_CONTEXT, server)
      let client: typeof server | undefined
      return {
        traceId: server.spanContext().traceId,
        upstreamFields() {
          client ??= tracer.startSpan('upstream', { kind: SpanKind.CLIENT }, within)
          const { traceId, spanId, traceFlags, traceState } = client.spanContext()
          const flags = traceFlags.toString(16).padStart(2, '0')
          const state = traceState?.serialize() ?? ''
          const fields = ['traceparent', `00-${traceId}-${spanId}-${flags}`]
          return state === '' ? fields : [...fields, 'tracestate', state]
        },
        end(record) {
          client?.setAttributes(upstreamAttributes(record)).end()
          server.updateName(nameOf(record)).setAttributes(attributesOf(record))
          if (Number(record['status']) >= 500) server.setStatus({ code: SpanStatusCode.ERROR })
          server.end()
        },
      }
    },
    close: () => provider.shutdown(),
  }
}

/** @see W3C Trace Context §3.2, §3.3 */
function callersContext(traceparent: string | undefined, tracestate: string | undefined): Context {
  const parent = traceparent === undefined ? null : parseTraceParent(traceparent)
  if (parent === null) return ROOT_CONTEXT
  const traceState = tracestate === undefined ? {} : { traceState: new TraceState(tracestate) }
  return trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true, ...traceState })
}

/** The method and the path as its document has it: few names, whatever is asked for. */
function nameOf({ method, operation }: AccessRecord): string {
  return String(operation ?? method ?? 'request')
}

/** @see OpenTelemetry semantic conventions, HTTP server spans */
function attributesOf(record: AccessRecord): Record<string, string | number | boolean> {
  const { verdict, status } = record
  const isRefused = verdict !== 'forwarded' && verdict !== 'documentation'
  return present({
    'http.request.method': record['method'],
    'http.response.status_code': status,
    'url.path': record['path'],
    'server.address': record['host'],
    'client.address': record['clientAddress'],
    'user_agent.original': record['userAgent'],
    'error.type': isRefused ? verdict : undefined,
    'gatehouse.request_id': record['requestId'],
    'gatehouse.group': record['group'],
    'gatehouse.organization': record['organization'],
    'gatehouse.principal': record['principal'],
    'gatehouse.verdict': verdict,
  })
}

function upstreamAttributes(record: AccessRecord): Record<string, string | number | boolean> {
  return present({
    'http.request.method': record['method'],
    'http.response.status_code': record['verdict'] === 'forwarded' ? record['status'] : undefined,
    'gatehouse.group': record['group'],
    'gatehouse.upstream_ms': record['upstreamMs'],
  })
}

function present(
  attributes: Readonly<Record<string, string | number | boolean | undefined>>,
): Record<string, string | number | boolean> {
  const entries = Object.entries(attributes)
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

const quietMs = 60_000

/** Once a minute at most: an export is tried every second. */
function tellFailures({ log, endpoint }: TracingOptions): void {
  let toldAtMs = -quietMs
  setGlobalErrorHandler((err) => {
    if (performance.now() - toldAtMs < quietMs) return
    toldAtMs = performance.now()
    log.warn({ err, endpoint }, 'traces could not be exported, and are lost')
  })
}
