import { z } from 'zod'

/** Whether something may be used at present, as the API writes it. */
export const state = z
  .enum(['ENABLED', 'DISABLED'])
  .transform((shown): 'enabled' | 'disabled' => (shown === 'ENABLED' ? 'enabled' : 'disabled'))

/** A state as objects show it. */
export function shownState(kept: 'enabled' | 'disabled'): string {
  return kept.toUpperCase()
}
