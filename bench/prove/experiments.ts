import { acknowledgedWrites } from './acknowledged-writes.ts'
import { admissionCost } from './admission-cost.ts'
import { costFlatness } from './cost-flatness.ts'
import { directoryDown } from './directory-down.ts'
import { bigStreams } from './big-streams.ts'
import { drain } from './drain.ts'
import { exactness } from './exactness.ts'
import type { Experiment } from './experiment.ts'
import { failover } from './failover.ts'
import { hostile } from './hostile.ts'
import { idleConnections } from './idle-connections.ts'
import { idpOutage } from './idp-outage.ts'
import { keyRotation } from './key-rotation.ts'
import { kidStorm } from './kid-storm.ts'
import { leaseStorm } from './lease-storm.ts'
import { lostUpdates } from './lost-updates.ts'
import { memory } from './memory.ts'
import { millionKeys } from './million-keys.ts'
import { quotaExactness } from './quota-exactness.ts'
import { redisDown } from './redis-down.ts'
import { redisFaults } from './redis-faults.ts'
import { redisFrozen } from './redis-frozen.ts'
import { redisMemory } from './redis-memory.ts'
import { reload } from './reload.ts'
import { replicaKill } from './replica-kill.ts'
import { revocation } from './revocation.ts'
import { rollingRestart } from './rolling-restart.ts'
import { slots } from './slots.ts'
import { slowClients } from './slow-clients.ts'
import { streams } from './streams.ts'
import { takenAhead } from './taken-ahead.ts'
import { timing } from './timing.ts'
import { soak } from './soak.ts'
import { tls } from './tls.ts'
import { tokenCost } from './token-cost.ts'
import { workers } from './workers.ts'

/** Every experiment, in the order of the list. */
export const experiments: readonly Experiment[] = [
  exactness,
  quotaExactness,
  slots,
  leaseStorm,
  redisDown,
  redisFrozen,
  redisFaults,
  failover,
  admissionCost,
  takenAhead,
  redisMemory,
  memory,
  idleConnections,
  streams,
  idpOutage,
  kidStorm,
  revocation,
  keyRotation,
  timing,
  tokenCost,
  costFlatness,
  directoryDown,
  millionKeys,
  acknowledgedWrites,
  lostUpdates,
  hostile,
  reload,
  drain,
  rollingRestart,
  replicaKill,
  bigStreams,
  slowClients,
  soak,
  workers,
  tls,
]
