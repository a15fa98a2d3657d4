import type { Readable } from 'node:stream'
import type { Authentication } from '../auth/authenticate.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Answer } from './answer.ts'
import type { Exchange } from './exchange.ts'
import { requestBody, type BodyLimits } from './request-body.ts'
import { requestFields } from './request-fields.ts'
import { responseFields, type OwnFields } from './response-fields.ts'
import type { Service } from './service.ts'
import { upstreamErrorAnswer, type ErrorRules } from './upstream-error.ts'

/** What a service is called with beside the request itself. */
export type ServiceCall = {
  readonly service: Service
  readonly authentication: Authentication
  readonly bodyLimits: BodyLimits
  readonly errors: ErrorRules
  readonly own: OwnFields
  /** Told why the service refuses. */
  readonly explain: (reason: string) => void
}

const deadlineMs = 30_000

/**
 * Have a service of this process answer a request. Requests and answers of our own APIs are small,
 * so both are taken whole.
 *
 * @throws {GatewayError} rejected: BODY_TOO_LARGE, REQUEST_TIMEOUT, REQUEST_MALFORMED,
 *   UPSTREAM_TIMEOUT, what the service throws, and what `upstreamErrorAnswer` does
 */
export function callService(exchange: Exchange, call: ServiceCall): Promise<Answer> {
  const { abandonment } = exchange
  if (abandonment.reason !== undefined) throw abandonment.reason
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new GatewayError('UPSTREAM_TIMEOUT'))
    }, deadlineMs)
    abandonment.onAbandon = reject
    void answer(exchange, call)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer)
      })
  })
}

async function answer(exchange: Exchange, call: ServiceCall): Promise<Answer> {
  const request = await requestOf(exchange, call)
  const response = await call.service(request, {
    authentication: call.authentication,
    requestId: exchange.requestId,
    address: exchange.client.address,
    explain: call.explain,
  })
  const rawFields = rawFieldsOf(response.headers)
  const body = Buffer.from(await response.arrayBuffer())
  const { status } = response
  if (status >= 400) {
    const failed = { kind: 'upstream-error', status, rawFields, body } as const
    return upstreamErrorAnswer(failed, call.errors, call.own)
  }
  return { status, fields: responseFields(rawFields, call.own), body }
}

async function requestOf(exchange: Exchange, call: ServiceCall): Promise<Request> {
  const { head, incoming, outgoing } = exchange
  const headers = new Headers()
  const fields = requestFields(exchange, call.authentication, { authorization: 'keep' })
  for (let index = 0; index < fields.length; index += 2) {
    headers.append(fields[index] ?? '', fields[index + 1] ?? '')
  }
  const body =
    head.body.kind === 'none'
      ? null
      : exchange.notes.body !== undefined
        ? new Uint8Array(exchange.notes.body)
        : await inTime(requestBody(incoming, outgoing, call.bodyLimits), call.bodyLimits)
  const url = `http://${head.hostField}${head.target.path}${head.target.query}`
  return new Request(url, { method: head.method, headers, body })
}

/** Anybody may call some services, so a body has as long in all as it has for one pause elsewhere. */
async function inTime(body: Readable, { idleTimeoutMs }: BodyLimits): Promise<Buffer<ArrayBuffer>> {
  const timer = setTimeout(() => body.destroy(new GatewayError('REQUEST_TIMEOUT')), idleTimeoutMs)
  try {
    return await whole(body)
  } finally {
    clearTimeout(timer)
  }
}

async function whole(body: AsyncIterable<Buffer>): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function rawFieldsOf(headers: Headers): readonly string[] {
  return [...headers].filter(([name]) => name !== 'content-length').flat()
}
