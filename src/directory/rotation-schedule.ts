import { repeat, type Repeating } from '../periodic/repeat.ts'
import type { DirectoryLog } from './directory-log.ts'
import type { KeyRotation, RotationSchedule } from './signing-keys.ts'

type Options = {
  readonly keyRotation: Pick<KeyRotation, 'rotateIfDue' | 'prune' | 'list'>
  /** Undefined: keys are rotated by command alone. */
  readonly schedule: RotationSchedule | undefined
  readonly log: DirectoryLog
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Between two looks at the keys. Default: a minute. */
  readonly intervalMs?: number
}

const actor = { id: 'schedule' }

/**
 * Rotate signing keys when it is time, and delete those that were kept for long enough. Every process
 * looks, and one of them acts. What fails is tried again at the next look.
 */
export function followRotationSchedule(options: Options): Repeating {
  const { keyRotation, schedule, log, now, intervalMs = 60_000 } = options
  return repeat({ intervalMs, atOnce: true }, () =>
    look().catch((err: unknown) => {
      log.warn({ err }, 'signing keys could not be kept up; it is tried again')
    }),
  )

  async function look(): Promise<void> {
    if (schedule !== undefined && (await keyRotation.rotateIfDue(schedule, actor)))
      log.info({}, 'the signing keys have been rotated, as scheduled')
    const listed = await keyRotation.list()
    if (listed.some(({ keepUntilMs }) => keepUntilMs !== undefined && keepUntilMs <= now()))
      await keyRotation.prune(actor)
  }
}
