import type { CountingControl } from './limits/counting.ts'
import type { Metrics } from './telemetry/metrics.ts'

/** Define the metrics of counted resources. Their meanings are in docs/operations.md. */
export function defineCountingMetrics(metrics: Metrics, health: CountingControl['health']): void {
  metrics.counter({
    name: 'gatehouse_counting_refusals_total',
    help: 'Creations that found no room in a quota of resources.',
    read: () => [{ value: health().refused }],
  })
  metrics.counter({
    name: 'gatehouse_counting_shadowed_total',
    help: 'Creations that passed, though a quota of resources in shadow mode had no room.',
    read: () => [{ value: health().shadowed }],
  })
  metrics.counter({
    name: 'gatehouse_counting_degraded_total',
    help: 'Creations decided without the record: let pass, or answered 503.',
    read: () => {
      const { admitted, unavailable } = health().withoutRecord
      return [
        { labels: { outcome: 'admitted' }, value: admitted },
        { labels: { outcome: 'unavailable' }, value: unavailable },
      ]
    },
  })
  metrics.gauge({
    name: 'gatehouse_counting_untold',
    help: 'Changes of counts that the record could not be told yet.',
    read: () => [{ value: health().untold }],
  })
  metrics.counter({
    name: 'gatehouse_counting_dropped_total',
    help: 'Changes of counts that the record never will be told, since there were too many.',
    read: () => [{ value: health().dropped }],
  })
}
