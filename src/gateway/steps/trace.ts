import type { Tracing } from '../../telemetry/tracing.ts'
import type { Step } from '../in-order.ts'
import { listOf } from '../raw-fields.ts'

/** Begin the request's trace, or go on with the caller's. */
export function traceStep(begin: Tracing['begin']): Step {
  return (c) => {
    const { incoming, notes } = c.env
    const { rawHeaders } = incoming
    notes.trace = begin(listOf(rawHeaders, 'traceparent'), listOf(rawHeaders, 'tracestate'))
    return undefined
  }
}
