import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalogue, type ErrorCode } from '../../src/errors/catalogue.ts'
import { errorProfiles, type ErrorProfile } from '../../src/errors/profile.ts'
import { createChain } from '../../src/gateway/chain.ts'
import { createListener } from '../../src/gateway/listener.ts'
import { createPublicServer } from '../../src/gateway/server.ts'
import { peppers } from '../directory/opening.ts'
import type { TestGroup } from '../support/configuration.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { startPostgres } from '../support/postgres.ts'
import { rawClient, rawExchange, type RawResponse } from '../support/raw-client.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

/** A port that nothing listens on, and nothing can without being root. */
const deadPort = 1

const publicOrigin = 'https://api.test'

let upstream: RecordingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await recordingUpstream()
  upstream.behave((incoming, outgoing) => {
    const [, kind, status] = incoming.url?.split('/') ?? []
    if (kind === 'status') outgoing.writeHead(Number(status)).end('<h1>stack trace</h1>')
    else if (kind === 'garbage') incoming.socket.end('garbage\r\n\r\n')
    else if (kind !== 'hang') outgoing.end('{}')
  })
  gateway = await startGateway({
    groups: [
      ...groups('', { upstreamUrl: upstream.url, maxBodyBytes: 10 }),
      ...groups('/dead', { upstreamUrl: `http://127.0.0.1:${deadPort}` }),
      ...groups('/slow', { upstreamUrl: upstream.url, upstream: { headersTimeoutMs: 100 } }),
      ...groups('/rated', { upstreamUrl: upstream.url, limitClass: 'rated' }),
      ...groups('/narrow', { upstreamUrl: upstream.url, limitClass: 'narrow' }),
    ],
    configuration: {
      publicOrigin,
      limits: {
        unauthenticated: { requests: 10_000, windowSeconds: 3_600 },
        classes: {
          standard: {},
          rated: { user: { requests: 1, windowSeconds: 3_600 } },
          narrow: { user: { concurrent: 1 } },
        },
      },
      requests: { idleTimeoutMs: 200 },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

/** One group for each profile under a mount, told apart by host. */
function groups(mount: string, rest: Omit<TestGroup, 'name' | 'paths'>): TestGroup[] {
  return errorProfiles.map((profile) => ({
    name: `${profile}${mount}`,
    hosts: [hostOf(profile)],
    mount,
    errorProfile: profile,
    paths: {
      '/things': { get: {}, post: {} },
      '/hang': { get: {}, post: {} },
      '/garbage': { get: {} },
      '/status/{status}': { get: {} },
    },
    ...rest,
    upstreamUrl: String(rest['upstreamUrl']),
  }))
}

function hostOf(profile: ErrorProfile): string {
  return `${profile}.test`
}

type Call = {
  readonly host?: string
  readonly to?: TestGateway
  readonly authorization?: string
  readonly fields?: readonly string[]
  readonly body?: string
}

function requestText(
  line: string,
  { host = 'standard.test', to = gateway, ...call }: Call,
): string {
  const { authorization = to.key.authorization, fields = [], body = '' } = call
  const credentials = authorization === '' ? [] : [`Authorization: ${authorization}`]
  const all = [`Host: ${host}`, ...credentials, ...fields]
  return `${line} HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n${body}`
}

function exchange(line: string, call: Call = {}): Promise<RawResponse> {
  return rawExchange((call.to ?? gateway).port, requestText(line, call))
}

/** How a code is reached before any group is known: it is answered in the standard shape. */
const beforeAnyGroup = {
  REQUEST_MALFORMED: () => rawExchange(gateway.port, 'no HTTP at all\r\n\r\n'),
  TARGET_INVALID: () => exchange('GET /a/../b'),
  TARGET_TOO_LONG: () => exchange(`GET /${'a'.repeat(8_193)}`),
  HOST_INVALID: () => exchange('GET /things', { host: 'a b' }),
  HOST_UNKNOWN: () => exchange('GET /things', { host: 'elsewhere.test' }),
  HEADERS_TOO_LARGE: () =>
    exchange('GET /things', { fields: Array.from({ length: 100 }, (_, i) => `X-${i}: 1`) }),
  EXPECTATION_FAILED: () => exchange('GET /things', { fields: ['Expect: a-miracle'] }),
  METHOD_NOT_IMPLEMENTED: () => exchange('TRACE /things'),
  TRANSFER_CODING_NOT_IMPLEMENTED: () =>
    exchange('POST /things', { fields: ['Transfer-Encoding: gzip, chunked'] }),
  UPGRADE_NOT_IMPLEMENTED: () =>
    exchange('GET /things', { fields: ['Connection: Upgrade', 'Upgrade: websocket'] }),
} satisfies Partial<Record<ErrorCode, () => Promise<RawResponse>>>

/** How a code is reached within a group: it is answered in the group's shape. */
const withinGroup = {
  OPERATION_NOT_FOUND: (host) => exchange('GET /nowhere', { host }),
  METHOD_NOT_ALLOWED: (host) => exchange('DELETE /things', { host }),
  AUTHENTICATION_REQUIRED: (host) => exchange('GET /things', { host, authorization: '' }),
  CREDENTIAL_MALFORMED: (host) => exchange('GET /things', { host, authorization: 'Basic ?' }),
  CREDENTIAL_REJECTED: (host) => exchange('GET /things', { host, authorization: 'Basic YTpi' }),
  BODY_TOO_LARGE: (host) =>
    exchange('POST /things', { host, fields: ['Content-Length: 11'], body: '01234567890' }),
  REQUEST_TIMEOUT: (host) =>
    exchange('POST /hang', { host, fields: ['Content-Length: 2'], body: '0' }),
  RATE_LIMIT_EXCEEDED: async (host) => {
    await exchange('GET /rated/things', { host })
    return exchange('GET /rated/things', { host })
  },
  CONCURRENCY_LIMIT_EXCEEDED: whileOneHangs((host) => exchange('GET /narrow/things', { host })),
  UPSTREAM_UNREACHABLE: (host) => exchange('GET /dead/things', { host }),
  UPSTREAM_INVALID_RESPONSE: (host) => exchange('GET /garbage', { host }),
  UPSTREAM_TIMEOUT: (host) => exchange('GET /slow/hang', { host }),
  INVALID_REQUEST: (host) => exchange('GET /status/400', { host }),
  QUOTA_EXCEEDED: (host) => exchange('GET /status/402', { host }),
  ACCESS_DENIED: (host) => exchange('GET /status/403', { host }),
  RESOURCE_NOT_FOUND: (host) => exchange('GET /status/404', { host }),
  NOT_ACCEPTABLE: (host) => exchange('GET /status/406', { host }),
  CONFLICT: (host) => exchange('GET /status/409', { host }),
  GONE: (host) => exchange('GET /status/410', { host }),
  PRECONDITION_FAILED: (host) => exchange('GET /status/412', { host }),
  UNSUPPORTED_MEDIA_TYPE: (host) => exchange('GET /status/415', { host }),
  VALIDATION_FAILED: (host) => exchange('GET /status/422', { host }),
  REQUEST_REFUSED: (host) => exchange('GET /status/418', { host }),
  UPSTREAM_FAILED: (host) => exchange('GET /status/500', { host }),
  SERVICE_UNAVAILABLE: (host) => exchange('GET /status/503', { host }),
} satisfies Partial<Record<ErrorCode, (host: string) => Promise<RawResponse>>>

function whileOneHangs(provoke: (host: string) => Promise<RawResponse>) {
  return async (host: string): Promise<RawResponse> => {
    // The upstream hears of an earlier request's end later than the gateway does.
    await until(() => upstream.inFlight() === 0)
    const client = await rawClient(gateway.port)
    client.send(requestText('GET /narrow/hang', { host }))
    await until(() => upstream.inFlight() === 1)
    try {
      return await provoke(host)
    } finally {
      client.close()
      await until(() => gateway.inFlight() === 0)
    }
  }
}

/** How a code is reached by a gateway that lacks something, once in the group of each host. */
const inTrouble = {
  HTTPS_REQUIRED: async () => {
    await using open = await another({
      listen: { public: { host: '0.0.0.0', port: 0 }, admin: { port: 0 } },
    })
    return [await exchange('GET /things', { to: open.gateway })]
  },
  LIMITER_UNAVAILABLE: async (hosts) => {
    const user = { requests: 10, windowSeconds: 60, whenUnavailable: 'refuse' }
    await using limited = await another({
      redis: { url: `redis://127.0.0.1:${deadPort}` },
      limits: { classes: { standard: { user } } },
    })
    return await inEach(hosts, 'GET /things', limited.gateway)
  },
  DIRECTORY_UNAVAILABLE: async (hosts) => {
    await using postgres = await disposablePostgres()
    const url = await postgres.createDatabase()
    await using stored = await another({ directory: { url, pepper: peppers, queryTimeoutMs: 200 } })
    postgres.freeze()
    // The key was never looked up before: what is known is still served.
    return await inEach(hosts, 'GET /things', stored.gateway)
  },
  SHUTTING_DOWN: async (hosts) => {
    await using closing = await another({ shutdown: { timeoutMs: 50 } })
    const before = upstream.inFlight()
    const answers = inEach(hosts, 'GET /hang', closing.gateway)
    await until(() => upstream.inFlight() === before + hosts.length)
    await closing.gateway.stop()
    return await answers
  },
  OVERLOADED: async (hosts) => {
    await using full = await another({ loadShedding: { maxInFlight: 1 } })
    const client = await rawClient(full.gateway.port)
    client.send(requestText('GET /hang', { host: hosts[0] ?? '', to: full.gateway }))
    await until(() => full.gateway.inFlight() === 1)
    try {
      return await inEach(hosts, 'GET /things', full.gateway)
    } finally {
      client.close()
    }
  },
  INTERNAL_ERROR: async () => [await exchangeWithBrokenChain()],
} satisfies Partial<Record<ErrorCode, (hosts: readonly string[]) => Promise<RawResponse[]>>>

function inEach(hosts: readonly string[], line: string, to: TestGateway): Promise<RawResponse[]> {
  return Promise.all(hosts.map((host) => exchange(line, { host, to })))
}

async function disposablePostgres() {
  const postgres = await startPostgres()
  return { ...postgres, [Symbol.asyncDispose]: () => postgres.stop() }
}

/** A second gateway, with other members in its configuration, that ends with its block. */
async function another(configuration: Readonly<Record<string, unknown>>) {
  const started = await startGateway({
    groups: groups('', { upstreamUrl: upstream.url }),
    configuration: { publicOrigin, ...configuration },
  })
  let isStopped = false
  const stop = async (): Promise<void> => {
    if (isStopped) return
    isStopped = true
    await started.stop()
  }
  return { gateway: { ...started, stop }, [Symbol.asyncDispose]: stop }
}

/** A bug: a part of the chain throws what no part throws. */
async function exchangeWithBrokenChain(): Promise<RawResponse> {
  const fail = (): never => {
    throw new TypeError('cannot read 10.0.0.1 of undefined')
  }
  const chain = createChain({
    catalog: fail,
    authenticate: fail,
    poolField: 'pool',
    authorizeByRoles: fail,
    findGrants: () => new Set(),
    assertIdentity: () => '',
    admit: fail,
    admitAddress: fail,
    beginCounting: fail,
    publicOrigin,
    idleTimeoutMs: 1_000,
    headersTimeoutMs: 1_000,
    writeAccess: () => undefined,
  })
  const listener = createListener({
    chain,
    headLimits: { maxHeaderFields: 100, maxTargetBytes: 8_192 },
    findClient: (address) => ({ address, peer: address, behindProxy: false }),
    encrypted: false,
    securityBehindProxy: [],
    loopback: true,
    publicOrigin,
    writeAccess: () => undefined,
  })
  const server = createPublicServer(
    {
      maxHeaderBytes: 16_384,
      maxHeaderFields: 100,
      headersTimeoutMs: 1_000,
      idleTimeoutMs: 1_000,
      keepAliveTimeoutMs: 1_000,
      maxRequestsPerConnection: 10,
    },
    listener,
  )
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  try {
    return await rawExchange(port, 'GET / HTTP/1.1\r\nHost: api.test\r\n\r\n')
  } finally {
    await server.drain(1_000)
  }
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** What a body must be in each profile. */
const bodies: Readonly<Record<ErrorProfile, (code: ErrorCode, status: number) => unknown>> = {
  standard: (code, status) => ({
    status: String(status),
    error: expect.objectContaining({ code, message: catalogue[code].message }) as unknown,
    doc_url: `${publicOrigin}/docs/errors/${code}`,
  }),
  connect: (code, status) => ({
    error: { code: status, message: expect.stringContaining(catalogue[code].message) as unknown },
  }),
  'kafka-rest': (code, status) => ({
    error_code: status === 401 || status === 403 ? status * 100 + 1 : status,
    message: expect.stringContaining(catalogue[code].message) as unknown,
  }),
  'schema-registry': (code, status) => ({
    error_code: status,
    message: expect.stringContaining(catalogue[code].message) as unknown,
  }),
  'json-api': (code, status) => ({
    errors: [
      expect.objectContaining({ status: String(status), code: code.toLowerCase() }) as unknown,
    ],
  }),
  oauth: (code) => ({
    error: expect.stringMatching(/^[a-z_]+$/) as unknown,
    error_description: expect.any(String) as unknown,
    error_uri: `${publicOrigin}/docs/errors/${code}`,
  }),
}

function expectRefusal(response: RawResponse, code: ErrorCode, profile: ErrorProfile): void {
  // An upstream's status that no code has of its own is kept.
  const status = code === 'REQUEST_REFUSED' ? 418 : catalogue[code].status
  const requestId = response.field('X-Request-Id') ?? ''
  expect(response.status, response.body).toBe(status)
  expect(requestId).toMatch(uuid)
  expect(response.field('Content-Type')).toBe('application/json')
  expect(response.field('Cache-Control')).toBe('no-store')
  const body = JSON.parse(response.body) as Record<string, unknown>
  const { requestId: told, ...shape } = body
  expect(shape).toEqual(bodies[profile](code, status))
  if (profile === 'json-api') expect(response.body).toContain(`"id":"${requestId}"`)
  else expect(told).toBe(requestId)
  expect(response.body).not.toMatch(/127\.0\.0\.1|10\.0\.0\.1|stack|\bat \/|undici/)
}

function expectLogged(response: RawResponse, code: ErrorCode, log = gateway.log): Promise<void> {
  const requestId = response.field('X-Request-Id')
  const record = () => log.find((each) => each['requestId'] === requestId)
  return until(() => record()?.['verdict'] === code && record()?.['status'] === response.status)
}

describe.each(keysOf(beforeAnyGroup))('%s', (code) => {
  test('is answered in the standard shape and logged', async () => {
    const response = await beforeAnyGroup[code]()
    expectRefusal(response, code, 'standard')
    await expectLogged(response, code)
  })
})

describe.each(keysOf(withinGroup))('%s', (code) => {
  test.each(errorProfiles)('is answered in the shape of %s and logged', async (profile) => {
    const response = await withinGroup[code](hostOf(profile))
    expectRefusal(response, code, profile)
    await expectLogged(response, code)
  })
})

test.each(keysOf(inTrouble))('%s is answered in the shape of each profile', async (code) => {
  const responses = await inTrouble[code](errorProfiles.map(hostOf))
  // Before an operation is matched there is no group, and one answer stands for all.
  const profiles = responses.length === 1 ? (['standard'] as const) : errorProfiles
  expect(responses).toHaveLength(profiles.length)
  profiles.forEach((profile, index) => {
    const response = responses[index]
    if (response !== undefined) expectRefusal(response, code, profile)
  })
})

test('every code of the catalogue is reached here, and has a page that doc_url opens', async () => {
  const reached = [beforeAnyGroup, withinGroup, inTrouble].flatMap((table) => Object.keys(table))
  expect(reached.toSorted()).toEqual(Object.keys(catalogue).toSorted())
  for (const code of keysOf(catalogue)) {
    const page = await exchange(`GET /docs/errors/${code}`, { host: 'anywhere.test' })
    expect([page.status, page.field('Content-Type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(page.body).toContain(`<h1><code>${code}</code></h1>`)
  }
})

test('a path that only begins like the pages of errors is no page', async () => {
  const beside = await exchange('GET /docs/errorsXCODE', { host: 'anywhere.test' })
  expect(beside.status).not.toBe(200)
})

/** The keys of a table, as their own type. */
function keysOf<Table extends object>(table: Table): (keyof Table)[] {
  // Object.keys gives strings; the tables here have no other keys than their type says.
  return Object.keys(table) as (keyof Table)[]
}
