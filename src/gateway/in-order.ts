import type { Context, MiddlewareHandler } from 'hono'
import type { GatewayEnv } from './exchange.ts'

/** The answer that a step has given or begun; undefined where the next step goes on. */
export type Answered = Response | undefined

/**
 * One step of a request's way: it leaves what it found in the context, throws what refuses the
 * request, or answers it, and then no later step runs. It makes a promise only where it has to wait.
 */
export type Step = (c: Context<GatewayEnv>) => Answered | Promise<Answered>

/**
 * Steps as one middleware, in the order given; the last of them answers. What Hono composes costs a
 * promise and two closures for each middleware; here only a step that waits costs one.
 */
export function inOrder(...steps: readonly Step[]): MiddlewareHandler<GatewayEnv> {
  return (c) => runFrom(0, steps, c)
}

function runFrom(first: number, steps: readonly Step[], c: Context<GatewayEnv>): Promise<Response> {
  for (let place = first; place < steps.length; place += 1) {
    const answer = steps[place]?.(c)
    if (answer instanceof Promise) {
      return answer.then((later) => later ?? runFrom(place + 1, steps, c))
    }
    if (answer !== undefined) return Promise.resolve(answer)
  }
  throw new Error('The last step has not answered')
}
