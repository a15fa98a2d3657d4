import { z } from 'zod'
import { count } from './values.ts'

const whenUnavailable = z
  .enum(['local', 'refuse', 'admit'])
  .default('local')
  .describe(
    'What happens while Redis cannot be asked: decide in process with an equal share of the limit, refuse with 503, or admit.',
  )

export const scopeLimits = z
  .strictObject({
    requests: count.optional().describe('Requests per window.'),
    windowSeconds: z.int().min(1).max(86_400).optional().describe('Length of the window.'),
    concurrent: count.optional().describe('Requests in flight at the same time.'),
    whenUnavailable,
  })
  .refine(
    ({ requests, windowSeconds }) => (requests === undefined) === (windowSeconds === undefined),
    {
      message: 'requests and windowSeconds go together',
    },
  )

export const addressLimit = z.strictObject({
  requests: count,
  windowSeconds: z.int().min(1).max(86_400),
})
