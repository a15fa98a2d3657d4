import type { App } from './app.ts'
import type { Readiness } from './gateway/admin.ts'
import type { MetricValues } from './telemetry/metrics.ts'

/** What the primary asks a worker, which answers with the same id. */
export type Question = { readonly ask: 'readiness' | 'metrics'; readonly id: number }

/** What a worker tells the primary. */
export type Told =
  | { readonly tell: 'listening'; readonly host: string; readonly port: number }
  | { readonly tell: 'readiness'; readonly id: number; readonly readiness: Readiness }
  | { readonly tell: 'metrics'; readonly id: number; readonly values: MetricValues }

/** Answer what the primary asks about this process. */
export function answerPrimary({ readiness, metricValues }: App): void {
  process.on('message', (message: Question) => {
    const { ask, id } = message
    if (ask === 'readiness') tellPrimary({ tell: ask, id, readiness: readiness() })
    else void metricValues().then((values) => tellPrimary({ tell: ask, id, values }))
  })
}

/** A primary that is gone is told nothing: this process ends with it. */
export function tellPrimary(told: Told): boolean {
  return process.connected && process.send?.(told) === true
}
