import type { Configuration } from './config/schema.ts'
import { unreloadable } from './config/unreloadable.ts'
import type { Serving } from './serving.ts'
import type { Log } from './telemetry/log.ts'

/** Reloads since the start. */
export type ReloadCounts = {
  readonly applied: number
  readonly refused: number
  /** Whether the last one was applied, or there was none. */
  readonly isCurrent: boolean
}

/** Takes over another configuration while requests are served. */
export type Reloader = {
  /**
   * Load a configuration and serve by it. Where that fails, what was served stays, and the log says
   * why. Never rejects. Called while one is under way, it is done once more after that one.
   */
  readonly reload: (load: LoadConfiguration) => Promise<void>
  readonly counts: () => ReloadCounts
}

export type LoadConfiguration = () => Promise<Configuration>

/** @param started what the process was built with */
export function createReloader(
  started: Configuration,
  serving: Pick<Serving, 'replace'>,
  log: Pick<Log, 'info' | 'warn' | 'error'>,
): Reloader {
  const counts = { applied: 0, refused: 0, isCurrent: true }
  let underWay: Promise<void> | undefined
  let waiting: Promise<void> | undefined
  return { reload, counts: () => ({ ...counts }) }

  function reload(load: LoadConfiguration): Promise<void> {
    if (underWay === undefined) {
      underWay = reloadOnce(load).finally(() => {
        underWay = undefined
      })
      return underWay
    }
    // The one under way may have read the files before they changed; several that wait are one.
    waiting ??= underWay.then(() => {
      waiting = undefined
      return reload(load)
    })
    return waiting
  }

  async function reloadOnce(load: LoadConfiguration): Promise<void> {
    try {
      const configuration = await load()
      const { catalog, warnings } = await serving.replace(configuration)
      counts.applied += 1
      counts.isCurrent = true
      for (const warning of warnings) log.warn({ warning }, 'check')
      const restart = unreloadable(started, configuration)
      if (restart.length > 0) log.warn({ restart }, 'these changes count after a restart')
      log.info({ operations: catalog.operations.length }, 'configuration reloaded')
    } catch (error) {
      counts.refused += 1
      counts.isCurrent = false
      const problem = error instanceof Error ? error.message : String(error)
      log.error({ problem }, 'the configuration is refused; the one before it stays')
    }
  }
}
