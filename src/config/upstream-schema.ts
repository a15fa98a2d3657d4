import { z } from 'zod'
import { count, file, httpUrl, milliseconds } from './values.ts'

const weightedInstance = z.strictObject({
  url: httpUrl,
  weight: z
    .int()
    .min(1)
    .max(1_000)
    .default(1)
    .describe('Its share of the requests, against the others’.'),
})

const instances = z
  .array(weightedInstance)
  .min(1)
  .max(100)
  .refine((list) => new Set(list.map(({ url }) => url)).size === list.length, {
    message: 'Two instances have the same url',
  })

const outlierDetection = z
  .strictObject({
    consecutiveFailures: count.default(5).describe('So many failures in a row eject an instance.'),
    baseEjectionMs: milliseconds.default(10_000).describe('At first; each time twice as long.'),
    maxEjectionMs: milliseconds.default(300_000),
    maxEjectedPercent: z
      .int()
      .min(0)
      .max(100)
      .default(50)
      .describe('Never more than this share of the instances at once, rounded down.'),
  })
  .describe('Send nothing, for a time, to instances that fail or answer 502, 503 or 504.')

const healthCheck = z
  .strictObject({
    path: z
      .string()
      .regex(/^\/[\x21-\x7e]*$/, 'Must begin with a slash')
      .describe('On the origin of each instance; 2xx means that it is well.'),
    intervalMs: milliseconds.default(5_000),
    timeoutMs: milliseconds.default(1_000).describe('For the whole answer.'),
    healthyThreshold: count.default(2).describe('So many good answers bring an instance back.'),
    unhealthyThreshold: count.default(3).describe('So many bad ones take it out.'),
  })
  .describe('Ask every instance how it is, on a connection of its own.')

const retries = z
  .strictObject({
    maxAttempts: z.int().min(1).max(10).default(3).describe('The first one included.'),
    budgetPercent: z
      .int()
      .min(0)
      .max(100)
      .default(20)
      .describe('Retries, as a share of the requests.'),
    burst: count.default(10).describe('So many may come at once.'),
  })
  .describe(
    'Send idempotent requests again, to another instance where there is one: broken connections, no answer in time, 502, 503 and 504 without Retry-After.',
  )

const circuitBreaker = z
  .strictObject({
    failurePercent: z
      .int()
      .min(1)
      .max(99)
      .default(50)
      .describe('More than this share of the last requests must have failed.'),
    lastRequests: z.int().min(1).max(10_000).default(20),
    openMs: milliseconds.default(10_000).describe('Then one request tries.'),
  })
  .describe('Answer 503 at once, for a time, where most requests failed.')

const canary = z
  .strictObject({
    instances,
    weight: z.int().min(0).max(100).optional().describe('Percent of the requests.'),
    header: z
      .strictObject({
        name: z.string().regex(/^[a-z0-9-]+$/, 'Must be a field name in lower case'),
        value: z.string().min(1),
      })
      .optional()
      .describe('Requests with this field, which any caller may send.'),
  })
  .refine(({ weight, header }) => (weight === undefined) !== (header === undefined), {
    message: 'Must have either a weight or a header',
  })
  .describe('Other instances that get a part of the requests; retries go to the usual ones.')

/** Where a group’s requests go, and what happens when it is not well there. */
export const upstream = z
  .strictObject({
    urls: z
      .array(httpUrl)
      .min(1)
      .optional()
      .describe('The instances, used in turn; a path goes before every forwarded path.'),
    instances: instances.optional().describe('In place of urls: instances with weights.'),
    connections: count.default(64).describe('Connections per instance.'),
    maxPending: z
      .int()
      .min(0)
      .max(100_000)
      .optional()
      .describe(
        'Requests that may wait for a connection to an instance; one more is answered 503. Absent: no bound.',
      ),
    pipelining: z
      .int()
      .min(1)
      .max(32)
      .default(1)
      .describe(
        'Requests on their way on one connection: more than 1 only where answers are short and quick, since one waits for another, and to services of your own, since a second answer to one request would be taken for the next one’s.',
      ),
    connectTimeoutMs: milliseconds.default(1_000),
    headersTimeoutMs: milliseconds
      .default(30_000)
      .describe('From the request to the response’s head.'),
    idleTimeoutMs: milliseconds
      .default(60_000)
      .describe('Between two pieces of a response’s body.'),
    totalTimeoutMs: milliseconds
      .optional()
      .describe('From the request to the end of the answer, retries included. Absent: no bound.'),
    outlierDetection: outlierDetection.optional(),
    healthCheck: healthCheck.optional(),
    retries: retries.optional(),
    circuitBreaker: circuitBreaker.optional(),
    canary: canary.optional(),
    rewriteLinks: z
      .boolean()
      .default(false)
      .describe(
        'Rewrite links of pages (metadata.first, prev, next, last) and Link fields to the public origin; answers are asked for without compression.',
      ),
    authorization: z
      .enum(['remove', 'keep'])
      .default('remove')
      .describe('Whether the caller’s Authorization goes to the upstream.'),
    assertionAudience: z
      .string()
      .regex(/^[\x21-\x7e]{1,255}$/, 'Must be 1 to 255 visible characters')
      .optional()
      .describe('Send Gatehouse-Assertion, who calls in a signed token, for this audience.'),
    tls: z
      .strictObject({
        ca: file.optional().describe('PEM: who signs their certificates; absent: the known roots.'),
        certificate: file.optional().describe('PEM: what we show them.'),
        key: file.optional().describe('PEM: its key.'),
      })
      .refine(({ certificate, key }) => (certificate === undefined) === (key === undefined), {
        message: 'A certificate needs its key, and a key its certificate',
      })
      .optional()
      .describe('For https URLs.'),
  })
  .refine(({ urls, instances: list }) => (urls === undefined) !== (list === undefined), {
    message: 'Must have either urls or instances',
  })
