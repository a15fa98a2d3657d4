import { z } from 'zod'
import { count, milliseconds } from './values.ts'

/** When requests are refused because this process has too much to do. Absent: never. */
export const loadShedding = z
  .strictObject({
    maxInFlight: count.optional().describe('One request more is refused.'),
    eventLoopDelayMs: milliseconds
      .optional()
      .describe('While timers are later than this on average, a growing share is refused.'),
    retryAfterSeconds: z.int().min(1).max(300).default(1),
  })
  .describe('Refuse requests with 503, before credentials are looked at, when there are too many.')
