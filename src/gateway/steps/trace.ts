import type { Tracing } from '../../telemetry/tracing.ts'
import { fieldOf } from '../exchange.ts'
import type { Step } from '../in-order.ts'

/** Begin the request's trace, or go on with the caller's. */
export function traceStep(begin: Tracing['begin']): Step {
  return (c) => {
    const parent = fieldOf(c.env, 'traceparent')
    c.env.notes.trace = begin(parent, fieldOf(c.env, 'tracestate'))
    return undefined
  }
}
