import type { Contestant, Surroundings } from './contestants/contestant.ts'
import { startFastify } from './contestants/fastify.ts'
import { startGatehouse, type GatehouseOptions } from './contestants/gatehouse.ts'
import { startHaproxy } from './contestants/haproxy.ts'
import { startNginxLua } from './contestants/nginx-lua.ts'
import { startBareNginx } from './contestants/nginx.ts'

/** A contestant that can be started. */
export type Entrant = {
  readonly name: string
  readonly start: (surroundings: Surroundings) => Promise<Contestant>
}

/** The same gateway a second time: what differs between the two is noise. */
export const twinName = 'gatehouse-twin'
/** The gateway of another checkout, or with other options. */
const otherName = 'gatehouse-other'

/** Everybody whose figures `--json` has. */
export const entrants: readonly Entrant[] = [
  { name: 'nginx', start: startBareNginx },
  { name: 'nginx-lua', start: startNginxLua },
  { name: 'haproxy', start: startHaproxy },
  { name: 'fastify', start: startFastify },
  gatehouse({ name: 'gatehouse' }),
]

/**
 * Who takes part, in the order of the rounds.
 *
 * @param only names; undefined: all. The twin comes along with the gateway.
 * @param other what `gatehouse-other` runs
 * @throws {Error} where a name is unknown
 */
export function fieldOf(
  only: readonly string[] | undefined,
  other: Omit<GatehouseOptions, 'name'> | undefined,
): readonly Entrant[] {
  const unknown = only?.find((name) => !entrants.some((entrant) => entrant.name === name))
  if (unknown !== undefined) throw new Error(`There is no contestant ${unknown}`)
  const chosen = entrants.filter(({ name }) => only?.includes(name) !== false)
  const hasGatehouse = chosen.some(({ name }) => name === 'gatehouse')
  return [
    ...chosen,
    ...(hasGatehouse ? [gatehouse({ name: twinName })] : []),
    ...(other === undefined ? [] : [gatehouse({ name: otherName, ...other })]),
  ]
}

function gatehouse(options: GatehouseOptions): Entrant {
  return {
    name: options.name,
    start: (surroundings) => startGatehouse(surroundings, options),
  }
}
