import type { ApplicableLimits, SlotLimit, WindowLimit } from './applicable-limits.ts'

/**
 * The limits that this process keeps alone while Redis cannot be asked: an equal share of each
 * `local` one, at least 1, and none for `admit`.
 *
 * @returns undefined where a limit says `refuse`
 */
export function localShare(
  limits: ApplicableLimits,
  replicas: number,
): ApplicableLimits | undefined {
  const { windows, slots, shadow } = limits
  for (const { whenUnavailable } of [...windows, ...slots])
    if (whenUnavailable === 'refuse') return undefined
  return {
    ...limits,
    ...shareOf({ windows, slots }, replicas),
    shadow: shadow && shareOf(shadow, replicas),
  }
}

type Limits = Pick<ApplicableLimits, 'windows' | 'slots'>

function shareOf({ windows, slots }: Limits, replicas: number): Limits {
  return {
    windows: windows.filter(isLocal).map((window) => ({
      ...window,
      requests: Math.ceil(window.requests / replicas),
    })),
    slots: slots.filter(isLocal).map((slot) => ({
      ...slot,
      concurrent: Math.ceil(slot.concurrent / replicas),
    })),
  }
}

function isLocal({ whenUnavailable }: WindowLimit | SlotLimit): boolean {
  return whenUnavailable === 'local'
}
