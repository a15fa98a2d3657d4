import { readFileSync } from 'node:fs'
import { defineScript, parseIntegers } from '../redis/script.ts'
import type { RunScript } from './addresses.ts'
import type { WindowLimit } from './applicable-limits.ts'

/**
 * How much is counted in quotas and fixed windows of one caller, in the order asked. Undefined while it
 * cannot be told, since Redis is away.
 */
export type ReadUse = (windows: readonly WindowLimit[]) => Promise<readonly number[] | undefined>

/** Read what Redis has counted. */
export function createReadUse(runScript: RunScript): ReadUse {
  const script = defineScript(readFileSync(scriptFile, 'utf8'), parseIntegers)
  return async (windows) => {
    if (windows.length === 0) return []
    try {
      const keys = windows.map(({ key }) => key)
      return await runScript(script, keys, [])
    } catch {
      // It is told elsewhere that Redis is away; what is shown goes without.
      return undefined
    }
  }
}

const scriptFile = new URL('lua/usage.lua', import.meta.url)
