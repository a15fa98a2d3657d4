import { z } from 'zod'
import type { CredentialKind } from '../auth/policy.ts'
import { schemeMapping, apiGroup } from './group-schema.ts'
import { roles } from './roles-schema.ts'
import { loadShedding } from './load-shedding-schema.ts'
import { countedResources, limitClass, quotas } from './limits-schema.ts'
import { ratio, traces } from './traces-schema.ts'
import { signingKeys } from './signing-keys-schema.ts'
import { redisServers } from './redis-schema.ts'
import { port, milliseconds, bytes, count, address, cidr, file, origin } from './values.ts'

const pepperId = z
  .string()
  .min(1)
  .max(64)
  .describe('Stored with each digest, so that peppers can rotate.')

const pepper = z.strictObject({
  id: pepperId,
  secret: z.string().min(32).describe('At least 32 characters; a file: reference, usually.'),
})

const currentPepper = z.strictObject({
  id: pepperId,
  secret: z
    .string()
    .regex(/^(?:.{32,})?$/s, 'Must be at least 32 characters')
    .describe('At least 32 characters; a file: reference, usually. Empty: none is given.'),
})

const uuidOrNone = /^(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?$/

const tls = z
  .strictObject({
    certificate: file.describe('PEM: the certificate and those that lead to a known root.'),
    key: file.describe('PEM: its key.'),
    clientCa: file
      .optional()
      .describe('PEM: whose certificates callers must show; absent: they show none.'),
    http2: z.boolean().default(true).describe('Speak HTTP/2 with callers that offer it.'),
    hstsSeconds: z
      .int()
      .min(0)
      .default(31_536_000)
      .describe('max-age of Strict-Transport-Security.'),
  })
  .describe('Speak TLS 1.2 or later; the files are read again when they change.')

/** What scheme names mean where the configuration says nothing else. */
const defaultSchemes = {
  'cloud-api-key': 'cloud-api-key',
  'resource-api-key': 'resource-api-key',
  'global-api-key': 'global-api-key',
  'confluent-sts-access-token': 'sts-access-token',
  'external-access-token': 'external-access-token',
  oauth: 'partner-access-token',
  'confluent-partner-access-token': 'partner-access-token',
} as const

/** The configuration file. Unknown keys are refused everywhere. */
export const configurationSchema = z.strictObject({
  listen: z
    .strictObject({
      public: address(8080)
        .unwrap()
        .extend({
          tls: tls.optional(),
          proxyProtocol: z
            .boolean()
            .default(false)
            .describe(
              'Connections come from transport.trustedProxies alone, with a PROXY protocol header.',
            ),
        })
        .prefault({})
        .describe('The listener that callers reach.'),
      admin: address(8081).describe('Health; never to be reachable by callers.'),
    })
    .prefault({}),
  publicOrigin: origin.optional().describe('Origin of links in answers, such as doc_url.'),
  crnAuthority: z
    .string()
    .regex(/^[A-Za-z0-9._-]+(?::[0-9]{1,5})?$/, 'Must be a host name, with a port or not')
    .default('confluent.cloud')
    .describe('Authority of the names of resources (CRNs).'),
  operators: z
    .array(z.string().regex(uuidOrNone, 'Must be the id of an organization'))
    .default([])
    .transform((ids): readonly string[] =>
      ids.filter((id) => id !== '').map((id) => id.toLowerCase()),
    )
    .describe('Organizations that run the gateway: they alone may manage what concerns others.'),
  transport: z
    .strictObject({
      trustedProxies: z
        .array(cidr)
        .default([])
        .describe('Peers whose X-Forwarded-For and X-Forwarded-Proto are believed.'),
      hstsSeconds: z
        .int()
        .min(0)
        .default(31_536_000)
        .describe('max-age of Strict-Transport-Security where a trusted proxy says https.'),
    })
    .prefault({}),
  requests: z
    .strictObject({
      maxHeaderBytes: bytes.default(16_384),
      maxHeaderFields: count.default(100),
      maxTargetBytes: bytes.default(8_192),
      maxBodyBytes: bytes.default(1_073_741_824),
      headersTimeoutMs: milliseconds.default(10_000).describe('For a request’s head to arrive.'),
      idleTimeoutMs: milliseconds
        .default(6_500)
        .describe('Longest pause within a request’s body, or in taking an answer.'),
      minBodyBytesPerSecond: z
        .int()
        .min(0)
        .default(100)
        .describe('The least that a caller must send of a body, over each idleTimeoutMs; 0: any.'),
      keepAliveTimeoutMs: milliseconds.default(65_000),
      maxRequestsPerConnection: count.default(1_000),
    })
    .prefault({}),
  loadShedding: loadShedding.optional(),
  documentation: z
    .strictObject({
      audience: z
        .enum(['public', 'known', 'nobody'])
        .default('public')
        .describe('known: callers with a valid credential; nobody: it is not served.'),
    })
    .prefault({})
    .describe('The merged OpenAPI document at /openapi.json, and the pages under /docs/api.'),
  directory: z
    .strictObject({
      url: z
        .string()
        .regex(/^(?:postgres(?:ql)?:\/\/.*)?$/s, 'Must be a postgresql URL')
        .optional()
        .describe('PostgreSQL; absent or empty: embedded in this process.'),
      folder: z.string().min(1).default('../data/directory').describe('Where the embedded one is.'),
      connections: count.default(10),
      queryTimeoutMs: milliseconds.default(1_000),
      cache: z
        .strictObject({
          maxEntries: count.default(100_000),
          maxAgeSeconds: count.default(60).describe('After that a record is read again.'),
          staleSeconds: count.default(600).describe('How long records serve while it is away.'),
          negativeMs: z.int().min(0).max(1_000).default(1_000),
        })
        .prefault({}),
      pepper: z
        .strictObject({ current: currentPepper, previous: z.array(pepper).default([]) })
        .optional()
        .describe('Keys of the digests of secrets. Without a URL, one is made on the first start.'),
    })
    .prefault({}),
  redis: redisServers.prefault({}),
  limits: z
    .strictObject({
      replicas: count.default(1).describe('Gateways that share the limits while Redis is away.'),
      leaseSeconds: z
        .int()
        .min(2)
        .max(3_600)
        .default(10)
        .describe('When a dead gateway’s slots lapse.'),
      unauthenticated: z
        .strictObject({
          requests: count.default(60),
          windowSeconds: z.int().min(1).max(86_400).default(60),
        })
        .prefault({})
        .describe('Per client address, for anonymous operations and refused credentials.'),
      rateLimitFields: z
        .boolean()
        .default(false)
        .describe('Send RateLimit and RateLimit-Policy (IETF draft) beside X-RateLimit-*.'),
      quotas,
      countedResources,
      classes: z
        .record(z.string().min(1), limitClass)
        .describe('Limits that groups name by limitClass.'),
    })
    .describe('How much callers may do.'),
  schemes: schemeMapping
    .default({})
    .transform((mapped): Readonly<Record<string, CredentialKind | 'ignore'>> => ({
      ...defaultSchemes,
      ...mapped,
    })),
  tokens: z
    .strictObject({
      issuer: origin
        .optional()
        .describe('Names us in the tokens that we issue; absent: publicOrigin.'),
      signingAlgorithm: z.enum(['EdDSA', 'ES256']).default('EdDSA'),
      signingKeys,
      partnerLifetimeSeconds: z.int().min(60).max(3_600).default(900),
      poolField: z
        .string()
        .regex(/^[a-z0-9-]+$/, 'Must be a field name in lower case')
        .default('confluent-identity-pool-id')
        .describe('The header field by which callers of external tokens name identity pools.'),
      identityProviders: z
        .strictObject({
          allowAddresses: z
            .array(z.string().min(1))
            .default([])
            .describe('Private networks, addresses and names that key sets may be fetched from.'),
          allowHttp: z.boolean().default(false).describe('For tests and closed networks.'),
        })
        .prefault({}),
      introspectors: z
        .array(
          z.strictObject({
            id: z.string().regex(/^[\x21-\x39\x3b-\x7e]+$/, 'Must be visible, without a colon'),
            secret: z.string().min(32).describe('At least 32 characters; a file: reference.'),
          }),
        )
        .default([])
        .describe('Services of ours that may ask what a token is (RFC 7662).'),
    })
    .prefault({})
    .describe('Tokens that are verified, and those that we issue.'),
  apiGroups: z.array(apiGroup).min(1),
  roles,
  shutdown: z
    .strictObject({
      readinessGraceMs: z
        .int()
        .min(0)
        .max(3_600_000)
        .default(0)
        .describe('Answering on after becoming unready.'),
      timeoutMs: milliseconds.default(30_000).describe('For requests in flight to finish.'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
      accessSampleRatio: ratio
        .default(1)
        .describe('Of the access lines of what went as it should; all others are written.'),
    })
    .prefault({}),
  traces: traces.optional(),
  demo: z.strictObject({ port }).optional().describe('Run the demo upstream in this process.'),
})

/** A configuration that has been read, expanded and checked. */
export type Configuration = DeepReadonly<z.output<typeof configurationSchema>>

type DeepReadonly<Value> = Value extends object
  ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
  : Value
