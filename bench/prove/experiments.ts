import { exactness } from './exactness.ts'
import type { Experiment } from './experiment.ts'
import { hostile } from './hostile.ts'
import { idleConnections } from './idle-connections.ts'
import { idpOutage } from './idp-outage.ts'
import { keyRotation } from './key-rotation.ts'
import { kidStorm } from './kid-storm.ts'
import { memory } from './memory.ts'
import { redisDown } from './redis-down.ts'
import { redisFrozen } from './redis-frozen.ts'
import { reload } from './reload.ts'
import { revocation } from './revocation.ts'
import { slots } from './slots.ts'
import { streams } from './streams.ts'
import { timing } from './timing.ts'
import { tokenCost } from './token-cost.ts'

/** Every experiment, in the order of the list. */
export const experiments: readonly Experiment[] = [
  exactness,
  slots,
  redisDown,
  redisFrozen,
  memory,
  idleConnections,
  streams,
  idpOutage,
  kidStorm,
  revocation,
  keyRotation,
  timing,
  tokenCost,
  hostile,
  reload,
]
