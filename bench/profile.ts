import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Arena } from './arena.ts'
import { measuredPath } from './contestants/contestant.ts'
import { ownCheckout, startGatehouse } from './contestants/gatehouse.ts'
import { runLoad } from './load.ts'

const fileName = 'gatehouse.cpuprofile'
const warmUpMs = 3_000
const profiledMs = 10_000

/**
 * Load the gateway for a while and have it write a CPU profile when it stops. The first seconds are
 * in it too: Node profiles from the start.
 *
 * @returns the path of the profile, which Chrome's and VS Code's developer tools open
 */
export async function profileGatehouse(arena: Arena, connections: number): Promise<string> {
  const folder = join(ownCheckout, '.cache', 'bench')
  mkdirSync(folder, { recursive: true })
  const nodeOptions = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${fileName}`]
  const gatehouse = await arena.enter((surroundings) =>
    startGatehouse(surroundings, { name: 'gatehouse', nodeOptions }),
  )
  await runLoad({
    port: gatehouse.port,
    path: measuredPath,
    credentialsFile: arena.credentials.allFile,
    connections,
    durationMs: warmUpMs + profiledMs,
  })
  // It writes the profile on its way out.
  await gatehouse.server.stop()
  return join(folder, fileName)
}
