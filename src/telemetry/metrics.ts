import { AggregatorRegistry, Counter, Gauge, Registry, type Histogram } from 'prom-client'
import { durationBounds, type DurationCounts } from './durations.ts'

/** One number of a family, with its labels. */
export type Sample = { readonly labels?: Readonly<Record<string, string>>; readonly value: number }

type Family = {
  readonly name: string
  readonly help: string
  /** Called when somebody asks, and only then. */
  readonly read: () => readonly Sample[]
}

type HistogramFamily = Pick<Family, 'name' | 'help'> & {
  readonly read: () => readonly {
    readonly labels: Readonly<Record<string, string>>
    readonly durations: DurationCounts
  }[]
}

/** The metrics of a process, read from plain numbers that others keep. */
export type Metrics = {
  /** What only grows. */
  readonly counter: (family: Family) => void
  /** How several workers' numbers become one: their sum, unless another is named. */
  readonly gauge: (family: Family, ofWorkers?: 'sum' | 'max' | 'min') => void
  readonly histogram: (family: HistogramFamily) => void
  /** In Prometheus's text format. */
  readonly text: () => Promise<string>
  /** As JSON can carry them to another process, which makes one text of several with `mergedMetrics`. */
  readonly values: () => Promise<MetricValues>
}

/** The numbers of a process, as prom-client's own aggregation takes them. */
export type MetricValues = readonly object[]

/** The media type of the text. */
export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE

export function createMetrics(): Metrics {
  const registry = new Registry()
  return {
    counter({ name, help, read }) {
      new Counter({
        ...{ name, help, labelNames, registers: [registry] },
        collect() {
          this.reset()
          for (const { labels = {}, value } of read()) this.inc(labels, value)
        },
      })
    },
    gauge({ name, help, read }, aggregator = 'sum') {
      new Gauge({
        ...{ name, help, labelNames, aggregator, registers: [registry] },
        collect() {
          this.reset()
          for (const { labels = {}, value } of read()) this.set(labels, value)
        },
      })
    },
    histogram({ name, help, read }) {
      const common = { name, help, type: 'histogram', aggregator: 'sum' } as const
      const get = () => ({
        ...common,
        values: read().flatMap(({ labels, durations }) => histogramValues(name, labels, durations)),
      })
      // prom-client's own histogram takes single observations only. The type asks for it, the
      // registry for no more than a name and `get`.
      registry.registerMetric({ ...common, get } as unknown as Histogram)
    },
    text: () => registry.metrics(),
    values: () => registry.getMetricsAsJSON(),
  }
}

/** Every label that there is: each names what the catalog or this program has a fixed set of. */
const labelNames = [
  ...['group', 'operation_class', 'status_class', 'verdict'],
  ...['outcome', 'reason', 'statistic', 'version', 'instance'],
] as const

function histogramValues(
  name: string,
  labels: Readonly<Record<string, string>>,
  { atMost, count, sumSeconds }: DurationCounts,
) {
  const buckets = [...durationBounds.map(String), '+Inf'].map((le, place) => ({
    metricName: `${name}_bucket`,
    labels: { ...labels, le },
    value: atMost[place] ?? count,
  }))
  const totals = [
    { metricName: `${name}_sum`, labels, value: sumSeconds },
    { metricName: `${name}_count`, labels, value: count },
  ]
  return [...buckets, ...totals]
}

/** The metrics of several workers as those of one process. */
export function mergedMetrics(workers: readonly MetricValues[]): Promise<string> {
  // The type names classes; what came from another process has their members.
  return AggregatorRegistry.aggregate(workers as unknown as object[]).metrics()
}
