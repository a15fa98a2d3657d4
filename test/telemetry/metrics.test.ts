import { expect, test } from 'vitest'
import { createDurations } from '../../src/telemetry/durations.ts'
import { createMetrics, mergedMetrics } from '../../src/telemetry/metrics.ts'

function workerMetrics(requests: number, isUp: number) {
  const metrics = createMetrics()
  const durations = createDurations()
  durations.observe(requests)
  metrics.counter({
    name: 'requests_total',
    help: 'Requests.',
    read: () => [{ labels: { group: 'a' }, value: requests }],
  })
  metrics.gauge({ name: 'up', help: 'Up.', read: () => [{ value: isUp }] }, 'min')
  metrics.histogram({
    name: 'duration_seconds',
    help: 'Durations.',
    read: () => [{ labels: { group: 'a' }, durations: durations.read() }],
  })
  return metrics
}

test('what is read is what stands in the text, however often it is asked for', async () => {
  const metrics = workerMetrics(3, 1)
  await metrics.text()
  const text = await metrics.text()
  expect(text).toContain('# TYPE requests_total counter\nrequests_total{group="a"} 3\n')
  expect(text).toContain('up 1\n')
  expect(text).toContain('duration_seconds_bucket{group="a",le="0.0025"} 0\n')
  expect(text).toContain('duration_seconds_bucket{group="a",le="0.005"} 1\n')
  expect(text).toContain('duration_seconds_bucket{group="a",le="+Inf"} 1\n')
  expect(text).toContain('duration_seconds_sum{group="a"} 0.003\n')
  expect(text).toContain('duration_seconds_count{group="a"} 1\n')
})

test('several workers are one: counts are added, and a state is that of the worst', async () => {
  const workers = [workerMetrics(3, 1), workerMetrics(4, 0)]
  const values = await Promise.all(workers.map(({ values: read }) => read()))
  // As a message between processes carries them.
  const text = await mergedMetrics(JSON.parse(JSON.stringify(values)) as object[][])
  expect(text).toContain('requests_total{group="a"} 7\n')
  expect(text).toContain('up 0\n')
  expect(text).toMatch(/duration_seconds_bucket\{.*le="0.005".*\} 2\n/)
  expect(text).toMatch(/duration_seconds_sum\{.*\} 0.007\n/)
})
