import { Hono } from 'hono'
import type { ReadOwnKeys } from '../auth/own/signing-keys.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Caller, Service } from '../gateway/service.ts'
import {
  createClientAuthentication,
  type ClientAuthenticationParts,
} from './client-authentication.ts'
import type { Endpoint } from './endpoint.ts'
import { readForm } from './form.ts'
import { createGrant, type GrantParts } from './grant.ts'
import { createIntrospection, type IntrospectionParts } from './introspection.ts'
import { readKeySet } from './key-set.ts'
import { metadataOf, paths } from './metadata.ts'
import { refuse, type Refusal } from './refusal.ts'
import { createRevocation, type RevocationParts } from './revocation.ts'

/** What partner OAuth needs; the issuer is an origin. */
export type OAuthParts = ClientAuthenticationParts &
  GrantParts &
  RevocationParts &
  IntrospectionParts & { readonly ownKeys: ReadOwnKeys }

/**
 * Build partner OAuth: tokens for clients of partners, their revocation and introspection, and what
 * clients find out by themselves. `config/apis/oauth.yaml` describes it.
 *
 * Clients are authenticated here, so its operations take no credential of the gateway. Errors have
 * the shape of RFC 6749 §5.2; whatever is thrown but DIRECTORY_UNAVAILABLE is thrown on.
 */
export function createOAuthService(parts: OAuthParts): Service {
  const authenticate = createClientAuthentication(parts)
  const app = new Hono<{ Bindings: Caller }>()
  post(paths.token, createGrant(authenticate, parts))
  post(paths.revocation, createRevocation(authenticate, parts))
  post(paths.introspection, createIntrospection(parts))
  app.get(paths.metadata, () => publicDocument(metadataOf(parts.issuer)))
  app.get(paths.keySet, () => publicDocument(readKeySet(parts.ownKeys, parts.now())))
  app.onError((error, c) => refused(refusalOf(error), c.env))
  return (request, caller) => app.fetch(request, caller)

  function post(path: string, { parameters, handle }: Endpoint): void {
    app.post(path, async (c) => {
      const form = await readForm(c.req.raw, parameters)
      if (form.kind === 'refused') return refused(form, c.env)
      const result = await handle({
        form: form.values,
        authorization: c.req.header('authorization'),
        requestId: c.env.requestId,
      })
      switch (result.kind) {
        case 'answer':
          return Response.json(result.body, { headers: notStored })
        case 'done':
          return new Response(null, { headers: notStored })
        case 'refused':
          return refused(result, c.env)
      }
    })
  }
}

/** @see RFC 6749 §5.1 */
const notStored = { 'Cache-Control': 'no-store', Pragma: 'no-cache' } as const

/** Shorter than the next signing key is published before it is used. */
const publicForAWhile = { 'Cache-Control': 'public, max-age=300' } as const

function publicDocument(document: object): Response {
  return Response.json(document, { headers: publicForAWhile })
}

function refused(refusal: Refusal, { explain }: Caller): Response {
  const { status, error, description, headers, reason } = refusal
  explain?.(reason ?? `${error}: ${description}`)
  return Response.json(
    { error, error_description: description },
    { status, headers: { ...notStored, ...headers } },
  )
}

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof GatewayError) || error.code !== 'DIRECTORY_UNAVAILABLE') throw error
  return refuse('temporarily_unavailable', 'The service is not available at the moment.', {
    status: 503,
    headers: { 'Retry-After': String(error.retryAfterSeconds ?? 1) },
    ...(error.cause instanceof Error ? { reason: error.cause.message } : {}),
  })
}
