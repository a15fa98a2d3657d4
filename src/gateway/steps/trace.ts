import type { Tracing } from '../../telemetry/tracing.ts'
import type { Step } from '../in-order.ts'

/** Begin the request's trace, or go on with the caller's. */
export function traceStep(begin: Tracing['begin']): Step {
  return (c) => {
    const { incoming, notes } = c.env
    const { traceparent, tracestate } = incoming.headers
    notes.trace = begin(textOf(traceparent), textOf(tracestate))
    return undefined
  }
}

/** Node joins a field that stands several times. */
function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
