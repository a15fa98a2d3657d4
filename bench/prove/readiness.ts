import { z } from 'zod'
import type { GatewayProcess } from '../../test/support/gateway-process.ts'

const stateSchema = z.enum(['up', 'degraded'])
const readySchema = z.object({
  parts: z.object({ limits: z.object({ redis: z.object({ state: stateSchema }) }) }),
})

/** What a gateway says of its Redis: whether it asks it, or decides alone. */
type RedisState = z.infer<typeof stateSchema>

export async function redisState({ adminPort }: GatewayProcess): Promise<RedisState> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`)
  return readySchema.parse(await response.json()).parts.limits.redis.state
}

/** Whether all of them are in a state. */
export async function areAll(
  state: RedisState,
  gateways: readonly GatewayProcess[],
): Promise<boolean> {
  const states = await Promise.all(gateways.map(redisState))
  return states.every((each) => each === state)
}
