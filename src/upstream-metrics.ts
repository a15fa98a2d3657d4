import type { GuardReading } from './gateway/resilience/guard.ts'
import type { Metrics, Sample } from './telemetry/metrics.ts'

/** Define what is told of upstreams that have more than a list of addresses; see docs/operations.md. */
export function defineUpstreamMetrics(
  metrics: Metrics,
  upstreams: () => readonly GuardReading[],
): void {
  const ofEach: OfEach = (samples) => () =>
    upstreams().flatMap((upstream) =>
      samples(upstream).map(({ labels, value }) => ({
        labels: { group: upstream.groupName, ...labels },
        value,
      })),
    )
  metrics.gauge(
    {
      name: 'gatehouse_upstream_instance_available',
      help: '1 while an instance gets requests, 0 while it is ejected or fails its health checks.',
      read: ofEach(({ instances }) =>
        instances.map(({ url, isAvailable }) => ({
          labels: { instance: url },
          value: isAvailable ? 1 : 0,
        })),
      ),
    },
    'min',
  )
  metrics.counter({
    name: 'gatehouse_upstream_ejections_total',
    help: 'How often an instance was ejected for its failures.',
    read: ofEach(({ counts }) => [{ value: counts.ejections }]),
  })
  metrics.counter({
    name: 'gatehouse_upstream_health_checks_total',
    help: 'Answers of instances that were asked how they are.',
    read: ofEach(({ counts: { passedChecks, failedChecks } }) => [
      { labels: { outcome: 'passed' }, value: passedChecks },
      { labels: { outcome: 'failed' }, value: failedChecks },
    ]),
  })
  metrics.counter({
    name: 'gatehouse_upstream_refused_total',
    help: 'Requests that were sent to no instance, by the reason.',
    read: ofEach(({ counts }) => [
      { labels: { reason: 'pending' }, value: counts.withoutPlace },
      { labels: { reason: 'circuit_open' }, value: counts.whileOpen },
    ]),
  })
  metrics.counter({
    name: 'gatehouse_upstream_retries_total',
    help: 'Requests that were sent again, and those that were not for want of budget.',
    read: ofEach(({ counts: { retries, withoutBudget } }) => [
      { labels: { outcome: 'sent' }, value: retries },
      { labels: { outcome: 'without_budget' }, value: withoutBudget },
    ]),
  })
  metrics.counter({
    name: 'gatehouse_upstream_canary_requests_total',
    help: 'Requests that went to the canary instances first.',
    read: ofEach(({ counts }) => [{ value: counts.canary }]),
  })
  defineCircuits(metrics, ofEach)
}

type OfEach = (samples: (upstream: GuardReading) => readonly Sample[]) => () => readonly Sample[]

function defineCircuits(metrics: Metrics, ofEach: OfEach): void {
  metrics.gauge(
    {
      name: 'gatehouse_upstream_circuit_open',
      help: '1 while an upstream is asked no more, or one request tries it.',
      read: ofEach(({ isOpen }) => (isOpen === undefined ? [] : [{ value: isOpen ? 1 : 0 }])),
    },
    'max',
  )
  metrics.counter({
    name: 'gatehouse_upstream_circuit_openings_total',
    help: 'How often the circuit breaker opened.',
    read: ofEach(({ isOpen, counts }) =>
      isOpen === undefined ? [] : [{ value: counts.openings }],
    ),
  })
}
