import type { Context, ErrorHandler, Handler } from 'hono'
import { GatewayError } from '../errors/gateway-error.ts'
import type { GatewayEnv } from './exchange.ts'

/**
 * What a step has come to: an answer that it has given or begun, a refusal, or undefined where the next
 * step goes on.
 */
export type Answered = Response | GatewayError | undefined

/**
 * One step of a request's way: it leaves what it found in the context, refuses the request, or answers
 * it, and then no later step runs. It makes a promise only where it has to wait.
 *
 * A refusal is thrown, or returned where it comes in floods: throwing costs as much as making the error.
 */
export type Step = (c: Context<GatewayEnv>) => Answered | Promise<Answered>

/**
 * Steps as one handler, in the order given; the last of them answers. What Hono composes costs a promise
 * and two closures for each middleware; here only a step that waits costs one.
 *
 * @param refuse answers what a step returned as a refusal; what a step threw is Hono's `onError`
 */
export function inOrder(
  steps: readonly Step[],
  refuse: ErrorHandler<GatewayEnv>,
): Handler<GatewayEnv> {
  return (c) => runFrom(0, c)

  function runFrom(first: number, c: Context<GatewayEnv>): Response | Promise<Response> {
    for (let place = first; place < steps.length; place += 1) {
      const answered = steps[place]?.(c)
      if (answered instanceof Promise) {
        return answered.then((later) =>
          later === undefined ? runFrom(place + 1, c) : end(later, c),
        )
      }
      if (answered !== undefined) return end(answered, c)
    }
    throw new Error('The last step has not answered')
  }

  function end(
    answered: Response | GatewayError,
    c: Context<GatewayEnv>,
  ): Response | Promise<Response> {
    return answered instanceof GatewayError ? refuse(answered, c) : answered
  }
}
