import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import httpProxy from '@fastify/http-proxy'
import rateLimit from '@fastify/rate-limit'
import fastify, { type FastifyRequest } from 'fastify'
import { Redis } from 'ioredis'

// A process of its own, given its settings as a file: Fastify as its documentation shows it, with a
// key check, two limiters on Redis and its logger.

/** What `fastify.ts` writes for it. */
export type FastifySettings = {
  readonly port: number
  readonly upstreamUrl: string
  readonly redisUrl: string
  readonly logFile: string
  readonly pepper: string
  readonly limits: Readonly<
    Record<'user' | 'organization', { readonly requests: number; readonly windowSeconds: number }>
  >
  readonly users: readonly {
    readonly keyId: string
    readonly secret: string
    readonly userId: string
    readonly organizationId: string
  }[]
}

// Written by our own process, a moment ago.
const settings = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as FastifySettings

type Caller = { readonly userId: string; readonly organizationId: string }

const records = new Map(
  settings.users.map(({ keyId, secret, ...caller }) => [
    keyId,
    { digest: digestOf(secret), caller },
  ]),
)
const noDigest = Buffer.alloc(32)
const callers = new WeakMap<FastifyRequest, Caller>()

const app = fastify({ logger: { level: 'info', file: settings.logFile } })
const redis = new Redis(settings.redisUrl, { connectTimeout: 500, maxRetriesPerRequest: 1 })

app.addHook('onRequest', (request, reply, done) => {
  const caller = callerOf(request.headers.authorization)
  if (caller === undefined) {
    void reply
      .code(401)
      .header('WWW-Authenticate', 'Basic realm="bench"')
      .send({ error: 'Unauthorized' })
    return
  }
  callers.set(request, caller)
  done()
})

for (const scope of ['organization', 'user'] as const) {
  const { requests, windowSeconds } = settings.limits[scope]
  await app.register(rateLimit, {
    max: requests,
    timeWindow: windowSeconds * 1_000,
    redis,
    nameSpace: `fastify-${scope}-`,
    keyGenerator: (request) => callers.get(request)?.[`${scope}Id`] ?? '',
  })
}
await app.register(httpProxy, {
  upstream: settings.upstreamUrl,
  undici: { connections: 64, pipelining: 1, keepAliveTimeout: 4_000 },
  replyOptions: {
    rewriteRequestHeaders: (request, headers) => {
      const caller = callers.get(request as FastifyRequest)
      const passing = {
        ...headers,
        'x-request-id': request.id,
        'gatehouse-principal-id': caller?.userId,
        'gatehouse-organization-id': caller?.organizationId,
      }
      delete passing.authorization
      return passing
    },
  },
})
await app.listen({ host: '127.0.0.1', port: settings.port })

function digestOf(secret: string): Buffer {
  return createHmac('sha256', settings.pepper).update(secret).digest()
}

function callerOf(authorization: string | undefined): Caller | undefined {
  if (authorization === undefined || !/^basic /i.test(authorization)) return undefined
  const decoded = Buffer.from(authorization.slice(6), 'base64').toString()
  const colon = decoded.indexOf(':')
  const record = records.get(decoded.slice(0, colon))
  const isEqual = timingSafeEqual(digestOf(decoded.slice(colon + 1)), record?.digest ?? noDigest)
  return isEqual ? record?.caller : undefined
}
