import { setTimeout as delay } from 'node:timers/promises'
import { GatewayError } from '../errors/gateway-error.ts'
import type { DirectoryLog } from './directory-log.ts'

/** Whether the database answers, as the last call that asked it found. */
export type Availability = {
  readonly isDown: () => boolean
  readonly succeeded: () => void
  /** From here on the database is tried again and again, until it answers. */
  readonly failed: (cause: unknown) => void
  readonly close: () => void
}

/** Pause before each attempt. */
const probeIntervalMs = 250

/**
 * Remember whether the database answers, and find out by itself when it does again: nobody has to
 * wait for an attempt, and it is found out without traffic too.
 *
 * @param probe resolves where the database answers, and rejects within a deadline where not
 */
export function trackAvailability(probe: () => Promise<unknown>, log: DirectoryLog): Availability {
  const closing = new AbortController()
  let isDown = false
  return {
    isDown: () => isDown,
    succeeded,
    failed,
    close: () => {
      closing.abort()
    },
  }

  function succeeded(): void {
    if (isDown) log.info({}, 'the directory answers again')
    isDown = false
  }

  function failed(cause: unknown): void {
    if (isDown || closing.signal.aborted) return
    log.error({ err: cause }, 'the directory does not answer; only what is cached works')
    isDown = true
    void tryUntilBack()
  }

  async function tryUntilBack(): Promise<void> {
    while (isDown) {
      await delay(probeIntervalMs, undefined, { signal: closing.signal }).catch(() => undefined)
      if (closing.signal.aborted) return
      await probe().then(succeeded, () => undefined)
    }
  }
}

/** Say whether an error means that the database does not answer, and is no bug. */
export function isUnavailability(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'DIRECTORY_UNAVAILABLE'
}
