import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { credentialKinds } from '../auth/policy.ts'
import { errorProfiles } from '../errors/profile.ts'

const port = z.int().min(0).max(65_535).describe('TCP port; 0 picks a free one.')
const milliseconds = z.int().min(1).max(86_400_000)
const bytes = z.int().min(1)
const count = z.int().min(1)

const address = (defaultPort: number) =>
  z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1').describe('Address or host name to listen on.'),
      port: port.default(defaultPort),
    })
    .prefault({})

const cidr = z.string().refine((text) => {
  return text.includes('/') ? ipaddr.isValidCIDR(text) : ipaddr.isValid(text)
}, 'Must be an IP address or a CIDR range')

const httpUrl = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), {
    message: 'Must be an http or https URL',
    abort: true,
  })
  .refine(
    (text) => {
      const url = URL.parse(text)
      return url !== null && url.username + url.password + url.search + url.hash === ''
    },
    { message: 'Must hold no credentials, query or fragment', abort: true },
  )

const origin = httpUrl.refine(
  (text) => URL.parse(text)?.origin === text,
  'Must be an origin: scheme, host and port, without a path',
)

/** A host as groups name it: exact, or with `{param}` for whole labels. */
const hostPattern = z
  .string()
  .regex(
    /^(?:[a-z0-9_-]+|\{[A-Za-z_][A-Za-z0-9_]*\})(?:\.(?:[a-z0-9_-]+|\{[A-Za-z_][A-Za-z0-9_]*\}))*$|^\[[0-9a-f:.]+\]$/,
    'Must be a host name in lower case; {name} stands for one whole label',
  )

const pathPrefix = z
  .string()
  .regex(
    /^(?:\/[A-Za-z0-9._~!$&'()*+,;=:@-]+)*$/,
    "Must be '' or start with a slash and not end with one",
  )

/** Every kind of credential that a security scheme can stand for. */
const credentialKind = z.enum(credentialKinds)

const schemeMapping = z
  .record(z.string().min(1), z.enum([...credentialKinds, 'ignore']))
  .describe(
    "What a security scheme's name in the documents means: a credential kind, or 'ignore' to drop the alternatives that name it.",
  )

const whenUnavailable = z
  .enum(['local', 'refuse', 'admit'])
  .default('local')
  .describe(
    'What happens while Redis cannot be asked: decide in process with an equal share of the limit, refuse with 503, or admit.',
  )

const scopeLimits = z
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

const addressLimit = z.strictObject({
  requests: count,
  windowSeconds: z.int().min(1).max(86_400),
})

const name = z.string().min(1)

const source = z
  .union(
    [
      z.strictObject({ path: name }),
      z.strictObject({ query: name }),
      z.strictObject({ header: name }),
      z.strictObject({ host: name }),
    ],
    'Must be one of path, query, header and host, with a name',
  )
  .describe('Where a value stands in a request: one of path, query, header and host.')

const resourceRule = z
  .strictObject({
    kind: z.string().min(1).describe('Kind of the resource, as API keys name it.'),
    id: source,
    environment: source.optional(),
  })
  .describe('How the resource that an operation acts on is told from the request.')

const upstream = z.strictObject({
  urls: z.array(httpUrl).min(1).describe('The instances; a path goes before every forwarded path.'),
  connections: count.default(64).describe('Connections per instance.'),
  pipelining: z
    .int()
    .min(1)
    .max(32)
    .default(1)
    .describe(
      'Requests on their way on one connection: more than 1 only where answers are short and quick, since one waits for another.',
    ),
  connectTimeoutMs: milliseconds.default(1_000),
  headersTimeoutMs: milliseconds
    .default(30_000)
    .describe('From the request to the response’s head.'),
  idleTimeoutMs: milliseconds.default(60_000).describe('Between two pieces of a response’s body.'),
  authorization: z
    .enum(['remove', 'keep'])
    .default('remove')
    .describe('Whether the caller’s Authorization goes to the upstream.'),
  assertionAudience: z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'Must be 1 to 255 visible characters')
    .optional()
    .describe('Send Gatehouse-Assertion, who calls in a signed token, for this audience.'),
})

const apiGroup = z.strictObject({
  name: z.string().min(1).max(100).describe('For example cmk/v2.'),
  document: z.string().min(1).describe('OpenAPI document, relative to this file.'),
  mount: pathPrefix.default('').describe('Prefix of the public paths, removed before forwarding.'),
  basePath: pathPrefix.optional().describe('Replaces the base path of the document’s servers.'),
  hosts: z.array(hostPattern).default([]).describe('Hosts it is served under; empty: any.'),
  upstream: upstream.optional(),
  service: z
    .enum(['sts', 'oauth'])
    .optional()
    .describe('A service of the gateway itself, in place of an upstream.'),
  errorProfile: z.enum(errorProfiles).default('standard').describe('Shape of the error bodies.'),
  limitClass: z.string().min(1).describe('One of limits.classes.'),
  maxBodyBytes: bytes.optional().describe('Overrides requests.maxBodyBytes.'),
  resource: resourceRule.optional(),
  schemes: schemeMapping.default({}),
  undeclaredSecurity: z
    .union(
      [z.literal('anonymous'), z.array(credentialKind).min(1)],
      `Must be anonymous or a list of credential kinds: ${credentialKinds.join(', ')}`,
    )
    .optional()
    .describe('What opens operations for which the document declares no security.'),
})

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
      public: address(8080).describe('The listener that callers reach.'),
      admin: address(8081).describe('Health; never to be reachable by callers.'),
    })
    .prefault({}),
  publicOrigin: origin.optional().describe('Origin of links in answers, such as doc_url.'),
  transport: z
    .strictObject({
      trustedProxies: z
        .array(cidr)
        .default([])
        .describe('Peers whose X-Forwarded-For and X-Forwarded-Proto are believed.'),
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
        .default(15_000)
        .describe('Longest pause within a request’s body.'),
      keepAliveTimeoutMs: milliseconds.default(65_000),
      maxRequestsPerConnection: count.default(1_000),
    })
    .prefault({}),
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
  redis: z
    .strictObject({
      url: z
        .string()
        .regex(/^(?:rediss?:\/\/.*)?$/s, 'Must be a redis or rediss URL')
        .optional()
        .describe('Absent or empty: limits are kept in this process.'),
      keyPrefix: z
        .string()
        .regex(/^[A-Za-z0-9._-]{1,64}$/, 'Must be letters, digits, dots, hyphens or underscores')
        .default('gatehouse'),
      commandTimeoutMs: milliseconds.default(50),
      connectTimeoutMs: milliseconds.default(500),
    })
    .prefault({}),
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
      classes: z
        .record(
          z.string().min(1),
          z.strictObject({
            user: scopeLimits.prefault({}),
            organization: scopeLimits.prefault({}),
            address: addressLimit
              .optional()
              .describe(
                'Per client address, where callers are not known; absent: unauthenticated.',
              ),
          }),
        )
        .describe('Limits that groups name by limitClass.'),
    })
    .describe('How much callers may do.'),
  schemes: schemeMapping
    .default({})
    .transform((mapped): Readonly<Record<string, z.infer<typeof credentialKind> | 'ignore'>> => ({
      ...defaultSchemes,
      ...mapped,
    })),
  tokens: z
    .strictObject({
      issuer: origin
        .optional()
        .describe('Names us in the tokens that we issue; absent: publicOrigin.'),
      signingAlgorithm: z.enum(['EdDSA', 'ES256']).default('EdDSA'),
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
  apiGroups: z
    .array(
      apiGroup.refine((group) => (group.upstream === undefined) !== (group.service === undefined), {
        message: 'Must have either an upstream or a service',
      }),
    )
    .min(1),
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
    })
    .prefault({}),
  demo: z.strictObject({ port }).optional().describe('Run the demo upstream in this process.'),
})

/** A configuration that has been read, expanded and checked. */
export type Configuration = DeepReadonly<z.output<typeof configurationSchema>>

type DeepReadonly<Value> = Value extends object
  ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
  : Value
