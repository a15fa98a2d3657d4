import type { Hono } from 'hono'
import { z } from 'zod'
import type { Caller } from '../gateway/service.ts'
import { readJsonObject, validated } from '../resource-api/json-body.ts'
import type { ApiEnv } from '../resource-api/serve-collection.ts'

/** What a request would meet, for a caller: nothing is sent, and no limit is counted. */
export type Explanation =
  | { readonly outcome: 'host-unknown' | 'not-found' }
  | { readonly outcome: 'method-not-allowed'; readonly allow: readonly string[] }
  | {
      readonly outcome: 'found'
      readonly operation: {
        readonly operationId: string | undefined
        readonly group: string
        readonly method: string
        readonly path: string
        readonly stage: string
      }
      /** Alternatives, each of what must be presented together; an empty one is open to anybody. */
      readonly openedBy: readonly (readonly Scheme[])[]
      /** Early Access that the caller's organization needs, by any of these names; empty: none. */
      readonly needsGrant: readonly string[]
      readonly limits: readonly ExplainedLimit[]
    }

type Scheme = { readonly scheme: string; readonly kind: string; readonly scopes: readonly string[] }

/** A limit as it applies to the caller, what an override makes of it included. */
export type ExplainedLimit = {
  readonly name: string
  readonly scope: 'user' | 'organization'
  /**
   * `concurrent`, or how a window begins; `creates` or `deletes` of a quota of resources, as the
   * operation does with what is counted.
   */
  readonly kind: string
  readonly limit: number
  /** Of windows alone, and not of a month. */
  readonly windowMs?: number
}

/**
 * Explain a request of a caller.
 *
 * @param url a path with its query, at the gateway's own host, or an http URL
 * @throws {GatewayError} TARGET_INVALID, HOST_INVALID
 */
export type Explain = (
  method: string,
  url: string,
  authentication: Caller['authentication'],
) => Explanation

const Question = z.object({
  method: z.string().regex(/^[A-Z]{1,32}$/, 'Must be a method in upper case'),
  url: z.string().min(1).max(8_192),
})

/** Say what a request would meet: which operation, what opens it, which limits hold for the caller. */
export function serveExplanations(app: Hono<ApiEnv>, explain: Explain): void {
  app.post('/gatehouse/v1/explanations', async (c) => {
    const body = await readJsonObject(c.req.raw, ['application/json'])
    const { method, url } = validated(Question, body)
    return c.json({
      api_version: 'gatehouse/v1',
      kind: 'Explanation',
      ...shown(explain(method, url, c.env.authentication)),
    })
  })
}

function shown(explanation: Explanation): object {
  const outcome = explanation.outcome.toUpperCase().replaceAll('-', '_')
  if (explanation.outcome === 'method-not-allowed') return { outcome, allow: explanation.allow }
  if (explanation.outcome !== 'found') return { outcome }
  const { operation, openedBy, needsGrant, limits } = explanation
  const { operationId, ...where } = operation
  return {
    outcome,
    operation: { ...where, ...(operationId === undefined ? {} : { operation_id: operationId }) },
    opened_by: openedBy,
    needs_grant: needsGrant,
    limits: limits.map(({ windowMs, ...limit }) => ({
      ...limit,
      ...(windowMs === undefined ? {} : { window_seconds: windowMs / 1_000 }),
    })),
  }
}
