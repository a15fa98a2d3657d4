import type { Outgoing } from './message.ts'

let outgoings: Outgoing[] = []
let bodies: string[] = []

/**
 * End an answer with its body when this turn of the event loop ends, together with the others of the turn.
 *
 * Who waits for an answer sleeps, and waking a core that sleeps costs more than writing. Clients, proxies
 * and load balancers whose answers come one behind the other are woken once for all of them.
 *
 * @param body latin1, which Node joins with the head into one write
 */
export function endTogether(outgoing: Outgoing, body: string): void {
  if (outgoings.length === 0) setImmediate(endAll)
  outgoings.push(outgoing)
  bodies.push(body)
}

function endAll(): void {
  const [ending, ends] = [outgoings, bodies]
  outgoings = []
  bodies = []
  for (const [index, outgoing] of ending.entries()) {
    // Its client may have gone within the turn; Node reports what is written then as an error.
    if (!outgoing.destroyed) outgoing.end(ends[index] ?? '', 'latin1')
  }
}
