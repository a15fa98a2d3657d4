import { send } from '../answer.ts'
import { callService } from '../call-service.ts'
import { alreadySent, left } from '../exchange.ts'
import { forward } from '../forward.ts'
import type { Step } from '../in-order.ts'
import type { Pipelining } from '../pipelining.ts'
import { requestFields } from '../request-fields.ts'
import { upstreamErrorAnswer } from '../upstream-error.ts'

/** Send the request to the group's upstream and its answer to the client. */
export function forwardStep(idleTimeoutMs: number): Step {
  return (c) => {
    const exchange = c.env
    const { head, requestId, incoming, outgoing } = exchange
    const { operation } = left(c, 'match')
    const { group } = operation
    const authentication = left(c, 'authentication')
    const own = {
      requestId,
      limit: c.env.notes.limit,
      notices: operation.lifecycle.notices,
      publicLink: group.publicLink,
      rewriteLinks: group.upstream.kind === 'network' && group.upstream.handOff.rewriteLinks,
      authenticated: authentication.kind === 'authenticated',
    }
    const { maxBodyBytes, minBodyBytesPerSecond: minBytesPerSecond } = group
    const bodyLimits = { maxBodyBytes, minBytesPerSecond, idleTimeoutMs }
    if (group.upstream.kind === 'service') {
      const { service } = group.upstream
      const explain = (reason: string): void => {
        c.env.notes.cause = new Error(reason)
      }
      const call = {
        service,
        authentication,
        bodyLimits,
        errors: group,
        own,
        explain,
      }
      return callService(exchange, call).then((answer) => {
        c.env.notes.counting?.answered(answer.status)
        // Nobody is left to answer; the log says so.
        if (outgoing.closed) return alreadySent
        c.env.notes.verdict = 'forwarded'
        send(incoming, outgoing, head.body, answer)
        return alreadySent
      })
    }
    const plan = {
      target: head.target.path.slice(group.mount.length) + head.target.query,
      fields: requestFields(
        exchange,
        authentication,
        group.upstream.handOff,
        c.env.notes.assertion,
      ),
      operation,
      own,
      bodyLimits,
      onBody: noteBody(group.upstream.pipelining, operation),
      onHead: (upstreamMs: number, status: number) => {
        // Of anything else it is not known yet whether the upstream is asked again.
        if (isSuccess(status)) c.env.notes.counting?.answered(status)
        c.env.notes.upstreamMs = upstreamMs
        c.env.notes.gatewayMs = performance.now() - exchange.startedAt - upstreamMs
        c.env.notes.verdict = 'forwarded'
      },
    }
    return forward(exchange, plan, group.upstream).then((forwarded) => {
      if (forwarded.kind !== 'upstream-error') return alreadySent
      c.env.notes.counting?.answered(forwarded.status)
      return upstreamErrorAnswer(forwarded, group, own).then((answer) => {
        send(incoming, outgoing, head.body, answer)
        return alreadySent
      })
    })
  }
}

/** Answers tell whether requests of their operation can be pipelined. */
function noteBody(
  pipelining: Pipelining | undefined,
  operation: object,
): ((cameWhole: boolean) => void) | undefined {
  if (pipelining === undefined) return undefined
  return (cameWhole) => {
    pipelining.note(operation, cameWhole)
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299
}
