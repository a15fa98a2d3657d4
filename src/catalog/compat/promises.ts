import type { Lifecycle, Stage } from '../lifecycle.ts'
import { became, gone, type Change } from './change.ts'
import { memberAt } from '../cursor.ts'
import type { ComparedOperation } from './operations.ts'

const dayMs = 86_400_000
const noticeDays = 180

/** Early Access and Preview may change at any time. */
export function mayChange({ stage }: Lifecycle): boolean {
  return stage === 'early-access' || stage === 'preview'
}

/** Whether an operation's end has come as it was announced: it is gone, or its date has passed. */
export function hasEnded({ stage, deprecatedAt, sunsetAt }: Lifecycle, nowMs: number): boolean {
  if (stage === 'sunset') return true
  if (stage !== 'deprecated' || sunsetAt === undefined || deprecatedAt === undefined) return false
  const noticeMs = sunsetAt.getTime() - deprecatedAt.getTime()
  return sunsetAt.getTime() <= nowMs && noticeMs >= noticeDays * dayMs
}

/** The stages in the order in which more is promised; what ends is judged by its dates. */
const promise: Readonly<Record<Stage, number>> = {
  'early-access': 0,
  preview: 1,
  'limited-availability': 2,
  'generally-available': 3,
  deprecated: 3,
  sunset: 3,
}

/** Compare what two documents promise of an operation's life. */
export function comparePromises(
  before: ComparedOperation,
  after: ComparedOperation,
  nowMs: number,
): readonly Change[] {
  const [old, next] = [before.lifecycle, after.lifecycle]
  const place = memberAt(after.at, 'x-lifecycle-stage') ?? after.at
  if (next.stage === 'sunset') {
    if (hasEnded(old, nowMs)) return []
    return [gone('operation-removed', before.at, `${before.name} answers 410`)]
  }
  const changes: Change[] = []
  if (promise[next.stage] < promise[old.stage])
    changes.push(became('stage-lowered', place, `${old.stage} became ${next.stage}`))
  else if (old.selfAccess && !next.selfAccess)
    changes.push(became('stage-lowered', place, 'access has to be requested'))
  return [...changes, ...endChanges(old, next, after, nowMs)]
}

function endChanges(
  old: Lifecycle,
  next: Lifecycle,
  after: ComparedOperation,
  nowMs: number,
): readonly Change[] {
  const { sunsetAt } = next
  if (sunsetAt === undefined || sunsetAt.getTime() === old.sunsetAt?.getTime()) return []
  const place = memberAt(after.at, 'x-sunset-at') ?? after.at
  if (old.sunsetAt !== undefined && sunsetAt < old.sunsetAt)
    return [
      became('sunset-earlier', place, `the end is earlier than ${old.sunsetAt.toISOString()}`),
    ]
  // What says no day is announced today.
  const announcedMs = next.deprecatedAt?.getTime() ?? nowMs
  const days = (sunsetAt.getTime() - announcedMs) / dayMs
  if (days >= noticeDays) return []
  return [became('notice-too-short', place, `${Math.floor(days)} days lie before the end`)]
}
