import type { ErrorHandler } from 'hono'
import { GatewayError } from '../../errors/gateway-error.ts'
import { errorAnswer, send } from '../answer.ts'
import { alreadySent, type GatewayEnv } from '../exchange.ts'

/**
 * Answer whatever a step threw, in the error profile of the group as far as one was found.
 *
 * @param unknownRestMs how long a connection may rest on which nobody was known yet
 */
export function refuse(publicOrigin: string, unknownRestMs: number): ErrorHandler<GatewayEnv> {
  return (thrown, c) => {
    const { incoming, outgoing, requestId, head } = c.env
    const error = asGatewayError(thrown)
    c.env.notes.verdict = error.code
    c.env.notes.cause = error.cause
    const answer = errorAnswer({
      error,
      profile: c.env.notes.group?.errorProfile ?? 'standard',
      requestId,
      path: head.target.path,
      limit: c.env.notes.limit,
      notices: c.env.notes.match?.operation.lifecycle.notices ?? [],
      publicOrigin,
    })
    const restMs = c.env.notes.authentication === undefined ? unknownRestMs : undefined
    send(incoming, outgoing, head.body, { ...answer, restMs })
    return alreadySent
  }
}

/** Whatever else is thrown is a bug; the caller learns that it is ours, and nothing more. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  return new GatewayError('INTERNAL_ERROR', { cause: thrown })
}
