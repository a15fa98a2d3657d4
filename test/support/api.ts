import { afterAll, beforeAll, expect } from 'vitest'
import { apiServices, operations, type DescribedOperation } from './api-documents.ts'
import { basic } from './basic.ts'
import type { TestConfiguration } from './configuration.ts'
import { startGateway, type TestGateway } from './gateway.ts'

/** A gateway that serves its own resources, and callers of two organizations. */
export type Api = {
  readonly gateway: TestGateway
  /** Another organization, and what a user of it authenticates with. */
  readonly stranger: {
    readonly organizationId: string
    readonly userId: string
    readonly authorization: string
  }
  /**
   * Call an operation, as the administrator unless `authorization` says otherwise, and hold the
   * answer against its document.
   */
  readonly call: (operationId: string, request?: ApiRequest) => Promise<ApiAnswer>
  /** Follow a link of an answer to an operation; the parameters of its path are in `request`. */
  readonly follow: (operationId: string, link: unknown, request?: ApiRequest) => Promise<ApiAnswer>
}

export type ApiRequest = {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  /** Sent as JSON; a text as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Undefined, where the member is there: none. */
  readonly authorization?: string | undefined
}

export type ApiAnswer = {
  readonly status: number
  readonly headers: Headers
  readonly body: ApiObject
}

/** An object of the API, a list of them, or an error: what an answer is, a test says. */
export type ApiObject = {
  readonly id: string
  readonly metadata: Readonly<Record<string, string>>
  readonly data: readonly ApiObject[]
  readonly error: {
    readonly code: string
    readonly details?: string
    readonly fields?: readonly { pointer?: string; parameter?: string; message: string }[]
  }
  readonly [member: string]: unknown
}

/** Where links of answers lead: never to where the request was sent. */
export const publicOrigin = 'https://api.example.com'

/** Not reached, but described by header fields. */
const perMinute = { requests: 100_000, windowSeconds: 60 }
const wide = { user: perMinute }

/**
 * Start a gateway for the tests of a file.
 *
 * @param quotas members of `limits` beside the classes
 */
export function useApi(
  limits: Readonly<Record<string, unknown>> = wide,
  services: TestConfiguration['services'] = apiServices,
  quotas: Readonly<Record<string, unknown>> = {},
): Api {
  let gateway: TestGateway | undefined
  let stranger: Api['stranger'] | undefined
  beforeAll(async () => {
    gateway = await startGateway({
      groups: [],
      services,
      configuration: {
        publicOrigin,
        limits: { ...quotas, classes: { standard: limits }, unauthenticated: perMinute },
      },
    })
    stranger = await makeStranger(gateway)
  })
  afterAll(() => gateway?.stop())
  const api: Api = {
    get gateway() {
      return started(gateway)
    },
    get stranger() {
      return started(stranger)
    },
    call: (operationId, request = {}) => call(api.gateway, operationId, request),
    follow: (operationId, link, request = {}) => {
      const { origin, searchParams } = new URL(String(link))
      expect(origin).toBe(publicOrigin)
      const query = Object.fromEntries(searchParams)
      return call(api.gateway, operationId, { ...request, query })
    },
  }
  return api
}

/** Send a request to an operation and hold its answer against the document. */
export async function call(
  gateway: Pick<TestGateway, 'port' | 'key'>,
  operationId: string,
  request: ApiRequest,
): Promise<ApiAnswer> {
  const operation = operations.get(operationId)
  if (operation === undefined) throw new Error(`No document has the operation ${operationId}`)
  const answer = await fetch(`http://127.0.0.1:${gateway.port}${target(operation, request)}`, {
    method: operation.method,
    headers: headersOf(request, gateway.key.authorization),
    ...(request.body === undefined ? {} : { body: textOf(request.body) }),
  })
  const text = await answer.text()
  const body: unknown = text === '' ? undefined : JSON.parse(text)
  holdAgainst(operation, answer, body)
  if (answer.status < 300 && request.body !== undefined)
    expect(operation.bodyProblems?.(request.body), 'the request').toBe('')
  return { status: answer.status, headers: answer.headers, body: body as ApiObject }
}

function target(
  { path }: DescribedOperation,
  { path: names = {}, query = {} }: ApiRequest,
): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(names[name] ?? 'none'),
  )
  const search = new URLSearchParams(query).toString()
  return search === '' ? filled : `${filled}?${search}`
}

function headersOf(request: ApiRequest, administrator: string): Record<string, string> {
  const authorization = 'authorization' in request ? request.authorization : administrator
  return {
    ...(authorization === undefined ? {} : { authorization }),
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...request.headers,
  }
}

function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}

function holdAgainst(operation: DescribedOperation, answer: Response, body: unknown): void {
  const { operationId, responses } = operation
  const described = responses[answer.status]
  const what = `${operationId} ${answer.status} ${JSON.stringify(body)}`
  if (described === undefined) throw new Error(`The document does not have ${what}`)
  if (described.bodyProblems === undefined) expect(body, what).toBeUndefined()
  else expect(described.bodyProblems(body), what).toBe('')
  // Only an object of the same kind is named by a conflict.
  const promised = described.headers.filter((name) => name !== 'Location' || answer.status !== 409)
  expect(
    promised.filter((name) => !answer.headers.has(name)),
    what,
  ).toEqual([])
}

async function makeStranger({ directory }: TestGateway): Promise<Api['stranger']> {
  const actor = { id: 'test' }
  const { id: organizationId } = await directory.organizations.create(
    { displayName: 'Strangers' },
    actor,
  )
  const user = { organizationId, email: 'stranger@example.com' }
  const { id: userId } = await directory.principals.createUser(user, actor)
  const role = 'OrganizationAdmin'
  const crnPattern = `crn://confluent.cloud/organization=${organizationId}`
  await directory.roleBindings.create(
    { organizationId, principalId: userId, role, crnPattern },
    actor,
  )
  const key = { ownerId: userId, resource: { kind: 'cloud' } } as const
  const { id, secret } = await directory.apiKeys.create(key, actor)
  return { organizationId, userId, authorization: basic(id, secret) }
}

function started<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('The gateway has not been started')
  return value
}
