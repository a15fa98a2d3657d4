import type { Authenticate, Authentication } from '../../auth/authenticate.ts'
import { credentialKinds, type SecurityPolicy } from '../../auth/policy.ts'
import { GatewayError } from '../../errors/gateway-error.ts'
import type { AdmitAddress } from '../../limits/admission.ts'
import { send } from '../answer.ts'
import { limitedAddress } from '../client.ts'
import { alreadySent, type Exchange } from '../exchange.ts'
import type { Step } from '../in-order.ts'
import { listOf } from '../raw-fields.ts'
import type { FindGrants } from './authorize.ts'

/** Who reads what the gateway says about its operations. */
export type Reader =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'organization'; readonly grants: ReadonlySet<string> }
  | { readonly kind: 'partner' }

/** The documentation of operations, and who may read it. */
export type Reference = {
  /** 'known': whoever presents a valid credential. */
  readonly audience: 'public' | 'known'
  /** Undefined where nothing is under the path. */
  readonly read: (path: string, reader: Reader) => Promise<RenderedReference | undefined>
}

type RenderedReference = {
  readonly contentType: string
  readonly body: Buffer
  readonly etag: string
}

type Parts = {
  readonly authenticate: Authenticate
  readonly admitAddress: AdmitAddress
  readonly findGrants: FindGrants
  readonly poolField: string
}

/**
 * Serve the merged OpenAPI document and the pages made of it, on every host. A credential shows more
 * of it; one that is not valid is refused as anywhere else. Readers are counted by address, known or
 * not, as callers of anonymous operations are.
 *
 * Throws {GatewayError} AUTHENTICATION_REQUIRED, CREDENTIAL_REJECTED, RATE_LIMIT_EXCEEDED,
 * DIRECTORY_UNAVAILABLE.
 */
export function referenceStep({ audience, read }: Reference, parts: Parts): Step {
  const known: SecurityPolicy = credentialKinds.map((kind) => [{ kind, scheme: kind, scopes: [] }])
  const policy = audience === 'public' ? [[], ...known] : known
  return (c) => {
    const { head } = c.env
    const { path } = head.target
    if (!isReference(path) || (head.method !== 'GET' && head.method !== 'HEAD')) return undefined
    return answer(c.env, path)
  }

  async function answer(exchange: Exchange, path: string): Promise<Response | undefined> {
    await admit(exchange, parts.admitAddress)
    const pools = listOf(exchange.incoming.rawHeaders, parts.poolField)
    // The stylesheet is nobody's secret, and a browser asks for it without being told to.
    const authentication =
      path === stylesheetPath
        ? anonymous
        : await parts.authenticate(exchange.head.authorization, policy, undefined, pools)
    exchange.notes.authentication = authentication
    const rendered = await read(path, await readerOf(authentication))
    if (rendered === undefined) return undefined
    sendRendered(exchange, rendered, authentication)
    exchange.notes.verdict = 'documentation'
    return alreadySent
  }

  async function readerOf(authentication: Authentication): Promise<Reader> {
    if (authentication.kind === 'anonymous') return anonymous
    const { principal } = authentication
    if (principal.kind === 'partner') return { kind: 'partner' }
    return { kind: 'organization', grants: await parts.findGrants(principal.organizationId) }
  }
}

const anonymous = { kind: 'anonymous' } as const
const stylesheetPath = '/docs/style.css'

function isReference(path: string): boolean {
  // What is asked of every request: most begin with neither.
  if (path === '/openapi.json') return true
  if (!path.startsWith('/docs/')) return false
  return path === '/docs/api' || path === stylesheetPath || path.startsWith('/docs/api/')
}

async function admit({ client }: Exchange, admitAddress: AdmitAddress): Promise<void> {
  const admission = await admitAddress(limitedAddress(client.address))
  if (admission.kind !== 'refused') return
  throw new GatewayError('RATE_LIMIT_EXCEEDED', {
    details: 'The limit of the address is reached.',
    retryAfterSeconds: admission.retryAfterSeconds,
  })
}

function sendRendered(
  exchange: Exchange,
  { contentType, body, etag }: RenderedReference,
  { kind }: Authentication,
): void {
  const { head, incoming, outgoing, requestId } = exchange
  const caching = kind === 'anonymous' ? 'no-cache' : 'private, no-cache'
  const fields = ['ETag', etag, 'Cache-Control', caching, 'Vary', 'Authorization']
  fields.push('X-Content-Type-Options', 'nosniff', 'Content-Security-Policy', pagePolicy)
  fields.push('X-Request-Id', requestId)
  if (isCurrent(listOf(incoming.rawHeaders, 'if-none-match'), etag)) {
    send(incoming, outgoing, head.body, { status: 304, fields, body: '' })
    return
  }
  fields.push('Content-Type', contentType, 'Referrer-Policy', 'no-referrer')
  send(incoming, outgoing, head.body, { status: 200, fields, body })
}

/** @see RFC 9110 §13.1.2: tags are compared weakly */
function isCurrent(field: string | undefined, etag: string): boolean {
  if (field === undefined) return false
  return field
    .split(',')
    .some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}

const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
