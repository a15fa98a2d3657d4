import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { VerifyExternalToken } from '../auth/external-token.ts'
import type { IssueToken } from '../auth/own/issue-token.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Caller, Service } from '../gateway/service.ts'
import { dryRunAnswer } from './dry-run.ts'
import { decideExchange, type ExchangeDecision } from './exchange.ts'
import { readForm, readJsonFields, type Fields } from './form.ts'
import { bodyTooLarge, problem, problemBody, unavailable, type Problem } from './problem.ts'
import { accessTokenType, readTokenRequest, type TokenRequest } from './token-request.ts'

type Parts = {
  readonly verifyExternalToken: VerifyExternalToken
  readonly issueToken: IssueToken
  /** The `iss` and the `aud` of what is issued. */
  readonly issuer: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

type Env = { Bindings: Caller }

const maxBodyBytes = 65_536
const defaultRetryAfterSeconds = 5

/**
 * The token exchange, as a service that the gateway stands in front of: operations, fields and
 * answers are those of config/apis/sts.yaml.
 *
 * The service rejects where the caller has no business here, with a {GatewayError} ACCESS_DENIED,
 * and with whatever is a bug.
 *
 * @see RFC 8693 §2
 */
export function createStsService(parts: Parts): Service {
  const { issueToken, issuer } = parts
  const app = new Hono<Env>()

  app.use((c, next) => {
    c.header('Cache-Control', 'no-store')
    c.header('Pragma', 'no-cache')
    return next()
  })
  app.use(
    bodyLimit({ maxSize: maxBodyBytes, onError: (c: Context<Env>) => refuse(c, bodyTooLarge) }),
  )

  app.post('/sts/v1/oauth2/token', async (c) => {
    const request = await requestOf(c, formTypes, issuer)
    if (request.kind === 'problem') return refuse(c, request)
    const decision = await decide(parts, request, undefined)
    if (decision.kind === 'refused') return refuse(c, notExchanged, decision.reason)
    const { token } = await issueToken(decision.content)
    return c.json({
      access_token: token,
      issued_token_type: accessTokenType,
      token_type: 'Bearer',
      expires_in: decision.content.lifetimeSeconds,
    })
  })

  app.post('/sts/v1/oauth2/token:dry-run', async (c) => {
    const organizationId = organizationOf(c.env)
    const request = await requestOf(c, formAndJsonTypes, issuer)
    if (request.kind === 'problem') return refuse(c, request)
    return c.json(dryRunAnswer(await decide(parts, request, organizationId)))
  })

  app.onError((error, c) => {
    if (!(error instanceof GatewayError) || error.code !== 'DIRECTORY_UNAVAILABLE') throw error
    c.header('Retry-After', String(error.retryAfterSeconds ?? defaultRetryAfterSeconds))
    return refuse(c, unavailable, error.cause instanceof Error ? error.cause.message : undefined)
  })

  return (request, caller) => app.fetch(request, caller)
}

/** The same for every reason, so that nobody learns here which issuers, pools and filters exist. */
const notExchanged = problem(
  'invalid_grant',
  'The subject token cannot be exchanged for this identity pool. An administrator of the organization learns why from the dry run of this operation.',
)

async function decide(
  { verifyExternalToken, issuer, now }: Parts,
  request: TokenRequest,
  organizationId: string | undefined,
): Promise<ExchangeDecision> {
  const context = { poolHeader: request.poolId, organizationId }
  const subject = await verifyExternalToken(request.subjectToken, context)
  return decideExchange(subject, request, { issuer, nowMs: now() })
}

/**
 * Reasons tell how an organization is configured, so they are given within it alone.
 *
 * @throws {GatewayError} ACCESS_DENIED where the caller belongs to none
 */
function organizationOf({ authentication }: Caller): string {
  const organizationId =
    authentication.kind === 'authenticated' ? authentication.principal.organizationId : undefined
  // Without one, the look-up would not be bound to any organization.
  if (organizationId === undefined)
    throw new GatewayError('ACCESS_DENIED', {
      cause: new Error('the caller is of no organization'),
    })
  return organizationId
}

type ReadFields = (text: string) => Fields | Problem
type BodyTypes = ReadonlyMap<string, ReadFields>

const formTypes: BodyTypes = new Map([['application/x-www-form-urlencoded', readForm]])
const formAndJsonTypes: BodyTypes = new Map([...formTypes, ['application/json', readJsonFields]])

/** The query string is not looked at: tokens in it would end up in logs. */
async function requestOf(
  c: Context<Env>,
  types: BodyTypes,
  issuer: string,
): Promise<TokenRequest | Problem> {
  const readFields = types.get(mediaType(c.req.header('content-type')))
  if (readFields === undefined) {
    const accepted = [...types.keys()].join(' or ')
    return problem('invalid_request', `The Content-Type of the body is not ${accepted}.`)
  }
  const fields = readFields(await c.req.text())
  return fields.kind === 'problem' ? fields : readTokenRequest(fields, issuer)
}

/** Without its parameters: clients append `;charset=UTF-8`. */
function mediaType(field = ''): string {
  return (field.split(';')[0] ?? '').trim().toLowerCase()
}

/** @param reason for the log, where it is more than the client is told */
function refuse(c: Context<Env>, refusal: Problem, reason?: string): Response {
  c.env.explain?.(reason ?? `${refusal.code}: ${refusal.description}`)
  return c.json(problemBody(refusal, c.env.requestId), refusal.status)
}
