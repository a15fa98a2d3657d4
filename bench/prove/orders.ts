import { randomUUID } from 'node:crypto'
import type { Caller } from './caller.ts'
import { openLoop, type OpenLoop } from './load.ts'

/** What came of one order. */
export type Order = {
  readonly id: string
  /** On the clock of `performance.now`. */
  readonly beganMs: number
  /** Which gateway answered it, as HAProxy says; undefined where nobody did. */
  readonly gateway: string | undefined
  /** `mixed-up`: a good answer with the id of another order. */
  readonly outcome: 'good' | 'failed' | 'mixed-up'
  /** Undefined: the connection broke. */
  readonly status: number | undefined
}

/** Orders that are sent whether earlier ones are answered or not. */
export type OrderLoad = OpenLoop & { readonly orders: readonly Order[] }

/** @param path of `orderPaths`, where it is mounted */
export function orderLoad(
  caller: Caller,
  perSecond: number,
  { path, authorization }: { readonly path: string; readonly authorization: string },
): OrderLoad {
  const orders: Order[] = []
  const loop = openLoop(perSecond, async () => {
    orders.push(await order(caller, path, authorization))
  })
  return { ...loop, orders }
}

async function order(caller: Caller, path: string, authorization: string): Promise<Order> {
  const id = randomUUID()
  const beganMs = performance.now()
  let gateway: string | undefined
  try {
    const answer = await caller.open(0, { path, authorization, method: 'POST', body: id })
    gateway = String(answer.headers['x-gateway'])
    const body = await answer.body.text()
    const { statusCode: status } = answer
    if (status !== 200) return { id, beganMs, gateway, outcome: 'failed', status }
    return { id, beganMs, gateway, outcome: body === id ? 'good' : 'mixed-up', status }
  } catch {
    // The connection broke.
    return { id, beganMs, gateway, outcome: 'failed', status: undefined }
  }
}

/** How those that failed did, as ` (2 × 502 of gateway-1)`; nothing where none did. */
export function failuresOf(orders: readonly Order[]): string {
  const failed = notGood(orders)
  if (failed.length === 0) return ''
  const ways = Map.groupBy(
    failed,
    ({ status, gateway }) => `${status ?? 'broken'} of ${gateway ?? 'none'}`,
  )
  return ` (${[...ways].map(([way, { length }]) => `${length} × ${way}`).join(', ')})`
}

export function notGood(orders: readonly Order[]): readonly Order[] {
  return orders.filter(({ outcome }) => outcome !== 'good')
}
