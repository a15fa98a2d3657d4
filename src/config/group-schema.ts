import { z } from 'zod'
import { credentialKinds } from '../auth/policy.ts'
import { errorProfiles } from '../errors/profile.ts'
import { upstream } from './upstream-schema.ts'
import { bytes, linkUrl, milliseconds } from './values.ts'

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

export const schemeMapping = z
  .record(z.string().min(1), z.enum([...credentialKinds, 'ignore']))
  .describe(
    "What a security scheme's name in the documents means: a credential kind, or 'ignore' to drop the alternatives that name it.",
  )

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

const moment = z.iso.datetime({ offset: true }).describe('RFC 3339.')

/** Operations that end, and what their callers are told. */
const retirement = z.strictObject({
  operations: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('METHOD /path as served; absent: all of the group.'),
  stage: z
    .enum(['deprecated', 'sunset'])
    .default('deprecated')
    .describe('Deprecated operations work and say so; sunset ones answer 410.'),
  deprecatedAt: moment.optional(),
  sunsetAt: moment.optional(),
  links: z
    .strictObject({
      deprecation: linkUrl.optional().describe('About the deprecation.'),
      sunset: linkUrl.optional().describe('About the removal.'),
      successorVersion: linkUrl.optional().describe('What to call instead.'),
    })
    .prefault({}),
  critical: z
    .boolean()
    .default(false)
    .describe('Allow less than 180 days between deprecation and sunset.'),
})

/** A connection that speaks HTTP again, or TLS, would take requests past the chain. */
const upgradeProtocol = z
  .string()
  .regex(/^[a-z0-9._+-]+(?:\/[a-z0-9._-]+)?$/, 'Must be the name of a protocol in lower case')
  .regex(/^(?!(?:h2c?|https?|tls)(?:\/|$))/, 'Must be another protocol than HTTP and TLS')

const namedOperations = z.array(z.string().min(1)).max(100).default([])

const counting = z
  .strictObject({
    quota: z.string().min(1).describe('One of limits.countedResources.'),
    creates: namedOperations.describe('operationIds, or METHOD /path as served: a 2xx counts one.'),
    deletes: namedOperations.describe('The same: a 2xx gives one back.'),
  })
  .describe('Which operations create and delete what a quota counts.')

/** An API group: what is served, where, and how. */
export const apiGroup = z
  .strictObject({
    name: z.string().min(1).max(100).describe('For example cmk/v2.'),
    document: z.string().min(1).describe('OpenAPI document, relative to this file.'),
    mount: pathPrefix
      .default('')
      .describe('Prefix of the public paths, removed before forwarding.'),
    basePath: pathPrefix.optional().describe('Replaces the base path of the document’s servers.'),
    hosts: z.array(hostPattern).default([]).describe('Hosts it is served under; empty: any.'),
    upstream: upstream.optional(),
    service: z
      .enum(['sts', 'oauth', 'iam', 'org', 'gatehouse', 'quota'])
      .optional()
      .describe('A service of the gateway itself, in place of an upstream.'),
    errorProfile: z.enum(errorProfiles).default('standard').describe('Shape of the error bodies.'),
    quotaErrors: z
      .array(z.string().min(3).max(200))
      .max(20)
      .default(['"quota_exceeded"', 'would exceed the quota', 'is currently limited to'])
      .describe(
        'A 400 of the service whose body holds one of these means an exceeded quota, and becomes 402; empty: none does.',
      ),
    limitClass: z.string().min(1).describe('One of limits.classes.'),
    counts: z.array(counting).default([]),
    maxBodyBytes: bytes.optional().describe('Overrides requests.maxBodyBytes.'),
    minBodyBytesPerSecond: z
      .int()
      .min(0)
      .optional()
      .describe('Overrides requests.minBodyBytesPerSecond: 0 where callers stream at leisure.'),
    resource: resourceRule.optional(),
    schemes: schemeMapping.default({}),
    earlyAccess: z
      .union([z.boolean(), z.array(z.string().min(1))], 'Must be true or a list of operations')
      .default(false)
      .describe('In Early Access beside what the document says: all, or METHOD /path as served.'),
    retirements: z
      .array(retirement)
      .default([])
      .describe('Operations that end; the last that names one counts.'),
    authorization: z
      .enum(['roles', 'upstream'])
      .optional()
      .describe(
        'Who decides what a known caller may do: roles and their bindings, or the service itself. Absent: the service, where it is not one of our own resources.',
      ),
    crn: z
      .string()
      .max(1_000)
      .optional()
      .describe(
        'What operations without x-gatehouse-crn act on, within the organization: kind={parameter}/kind=id.',
      ),
    hideExistence: z
      .boolean()
      .default(false)
      .describe('Answer 404 in place of 403 to who has no role at all on what a path names.'),
    validateRequests: z
      .boolean()
      .default(false)
      .describe('Hold parameters and JSON bodies against the document: 400, 415, 422.'),
    maxValidatedBodyBytes: bytes
      .default(65_536)
      .describe('Longest JSON body that is read whole to be validated; 413 beyond it.'),
    upgrades: z
      .array(upgradeProtocol)
      .max(10)
      .default([])
      .describe('Protocols that connections may be upgraded to, such as websocket; others: 501.'),
    upgradeIdleTimeoutMs: milliseconds
      .default(300_000)
      .describe('Longest time in which nothing passes on an upgraded connection.'),
    undeclaredSecurity: z
      .union(
        [z.literal('anonymous'), z.array(credentialKind).min(1)],
        `Must be anonymous or a list of credential kinds: ${credentialKinds.join(', ')}`,
      )
      .optional()
      .describe('What opens operations for which the document declares no security.'),
  })
  .refine((group) => (group.upstream === undefined) !== (group.service === undefined), {
    message: 'Must have either an upstream or a service',
  })
  .refine((group) => group.service === undefined || group.upgrades.length === 0, {
    path: ['upgrades'],
    message: 'Services of the gateway know no upgrades',
  })
