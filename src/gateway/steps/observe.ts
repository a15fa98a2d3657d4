import { accessRecord, type WriteAccess } from '../access-log.ts'
import { whenEnded } from '../exchange.ts'
import type { Step } from '../in-order.ts'

/** Write one access record when the response has ended, however it ended. */
export function observeStep(writeAccess: WriteAccess): Step {
  return (c) => {
    const exchange = c.env
    whenEnded(exchange, () => {
      const record = accessRecord(exchange)
      writeAccess(record)
      exchange.notes.trace?.end(record)
    })
    return undefined
  }
}
