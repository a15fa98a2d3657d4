import { z } from 'zod'
import { count } from './values.ts'

const whenUnavailable = z
  .enum(['local', 'refuse', 'admit'])
  .default('local')
  .describe(
    'What happens while Redis cannot be asked: decide in process with an equal share of the limit, refuse with 503, or admit.',
  )

const mode = z
  .enum(['enforce', 'shadow'])
  .default('enforce')
  .describe('Whether it refuses, or only is decided, counted and logged.')

const warnAtPercent = z
  .array(z.int().min(1).max(100))
  .max(10)
  .default([])
  .describe('Say so in the log when this much of it is used, once a window.')

const scopeLimits = z
  .strictObject({
    requests: count.optional().describe('Requests per window, or what they weigh by costs.'),
    windowSeconds: z.int().min(1).max(86_400).optional().describe('Length of the window.'),
    window: z
      .enum(['fixed', 'sliding'])
      .default('fixed')
      .describe('Begins with the first request, or is any stretch of that length.'),
    concurrent: count.optional().describe('Requests in flight at the same time.'),
    tokenLease: z
      .strictObject({ share: count.describe('So much, at most, at a time.') })
      .optional()
      .describe(
        'For very high limits: each gateway takes a share ahead, and admits from it without asking Redis.',
      ),
    whenUnavailable,
    mode,
    warnAtPercent,
  })
  .refine(
    ({ requests, windowSeconds }) => (requests === undefined) === (windowSeconds === undefined),
    {
      message: 'requests and windowSeconds go together',
    },
  )

const addressLimit = z.strictObject({
  requests: count,
  windowSeconds: z.int().min(1).max(86_400),
})

/** Names that stand in the names of limits, parted by dots. */
const limitName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'Must be letters, digits, hyphens or underscores')

const operationRule = z
  .strictObject({
    name: limitName,
    methods: z
      .array(z.string().regex(/^[A-Z]+$/, 'Must be in upper case'))
      .min(1)
      .optional()
      .describe('Absent: any. HEAD is counted as the GET that answers it.'),
    operations: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('operationIds, or a method and a path as they are served; absent: any.'),
    cost: count.optional().describe('What a request weighs; of several rules the first counts.'),
    user: scopeLimits.prefault({}),
    organization: scopeLimits.prefault({}),
  })
  .describe('Some operations of the class: what they cost, and limits of their own.')

export const limitClass = z.strictObject({
  user: scopeLimits.prefault({}),
  organization: scopeLimits.prefault({}),
  address: addressLimit
    .optional()
    .describe('Per client address, where callers are not known; absent: unauthenticated.'),
  quotas: z.array(z.string().min(1)).default([]).describe('Those of limits.quotas that apply.'),
  operations: z.array(operationRule).default([]),
})

const quota = z
  .strictObject({
    displayName: z.string().min(1).max(255).optional().describe('As it is shown to callers.'),
    scope: z.enum(['user', 'organization']).describe('Whose requests are counted together.'),
    limit: count.describe('Requests, or what they weigh by costs.'),
    period: z.enum(['hour', 'day', 'month']).describe('Renews with it, in UTC.'),
    whenUnavailable,
    mode,
    warnAtPercent,
  })
  .describe('A limit by the calendar, answered with 402.')

export const quotas = z
  .record(limitName, quota)
  .default({})
  .describe('Quotas that classes name; those that name the same one share its count.')

const countedResource = z
  .strictObject({
    displayName: z.string().min(1).max(255).optional().describe('As it is shown to callers.'),
    scope: z
      .enum(['user', 'organization'])
      .describe(
        'Whose resources are counted together; user: what each creates, less what each deletes.',
      ),
    limit: count.describe('Resources there may be.'),
    whenUnavailable: z
      .enum(['refuse', 'admit'])
      .default('refuse')
      .describe(
        'What happens to creations while the database cannot be asked: refuse with 503, or let pass and count later.',
      ),
    mode,
    warnAtPercent,
  })
  .describe('A limit of how many resources there may be, answered with 402.')

export const countedResources = z
  .record(limitName, countedResource)
  .default({})
  .describe('Quotas of resources; groups say by `counts` which operations create and delete them.')
