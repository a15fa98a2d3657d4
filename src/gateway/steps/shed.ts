import type { Step } from '../in-order.ts'
import type { LoadShedding } from '../load-shedding.ts'

/** Refuse what is too much, before anything is spent on it but finding whose shape a refusal has. */
export function shedStep(refuse: LoadShedding['refuse']): Step {
  return () => {
    refuse()
    return undefined
  }
}
