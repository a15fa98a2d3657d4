import { z } from 'zod'
import { milliseconds, port } from './values.ts'

const nodes = z
  .array(z.strictObject({ host: z.string().min(1), port }))
  .min(1)
  .describe('Some of them are enough: they name the others.')

const sentinel = z
  .strictObject({
    primary: z.string().min(1).describe('The name that the sentinels know the primary by.'),
    nodes,
    username: z.string().min(1).optional(),
    password: z
      .string()
      .min(1)
      .optional()
      .describe('Of the sentinels; a file: reference, usually.'),
  })
  .describe('Redis Sentinel says where the primary is.')

const tls = z
  .strictObject({
    ca: z
      .string()
      .min(1)
      .optional()
      .describe('Signers of the certificates, PEM; a file: reference.'),
    cert: z.string().min(1).optional().describe('Our own certificate, PEM; a file: reference.'),
    key: z.string().min(1).optional().describe('Its key, PEM; a file: reference.'),
    servername: z.string().min(1).optional().describe('Name in their certificates, if another.'),
  })
  .describe('Encrypt; with a rediss URL it adds to what the URL says.')

/** Where the counts of limits are kept. */
export const redisServers = z
  .strictObject({
    url: z
      .string()
      .regex(/^(?:rediss?:\/\/.*)?$/s, 'Must be a redis or rediss URL')
      .optional()
      .describe('One server. Without url, sentinel and cluster, limits are kept in this process.'),
    sentinel: sentinel.optional(),
    cluster: z.strictObject({ nodes }).optional().describe('Redis Cluster.'),
    username: z.string().min(1).optional().describe('An ACL user; see docs/limits.md.'),
    password: z.string().min(1).optional().describe('A file: reference, usually.'),
    tls: tls.optional(),
    keyPrefix: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, 'Must be letters, digits, dots, hyphens or underscores')
      .default('gatehouse'),
    commandTimeoutMs: milliseconds.default(50),
    connectTimeoutMs: milliseconds.default(500),
  })
  .refine(
    ({ url, sentinel: byName, cluster }) =>
      [url === '' ? undefined : url, byName, cluster].filter(Boolean).length <= 1,
    { message: 'At most one of url, sentinel and cluster' },
  )
