/** One bounded experiment on real processes. */
export type Experiment = {
  readonly name: string
  /** What it shows, in a sentence, without a final period. */
  readonly shows: string
  /** Options that it takes: those of a deployment let it run there instead of at gateways of its own. */
  readonly accepts: readonly ExperimentOption[]
  /** Takes less than five minutes where it is not given more, and ends whatever it started. */
  readonly run: (deployment: Deployment | undefined, minutes?: number) => Promise<Outcome>
}

export type ExperimentOption = DeploymentOption | 'minutes'

/** What was measured, what it is held against, and whether it suffices. */
export type Outcome = {
  readonly figure: string
  readonly goal: string
  readonly isMet: boolean
}

export type DeploymentOption = 'url' | 'key' | 'limit' | 'window' | 'pid'

/** Gateways that somebody else runs. */
export type Deployment = {
  /** One operation, at one or more gateways. */
  readonly urls: readonly string[]
  /** An Authorization value (RFC 7617). */
  readonly authorization: string
  /** The limit that the operation has for this key. */
  readonly limit: number | undefined
  readonly windowSeconds: number | undefined
  /** The gateway's process, where it runs on this machine. */
  readonly pid: number | undefined
}

/** The one line that an experiment prints. */
export function lineOf(name: string, { figure, goal, isMet }: Outcome): string {
  return `${name}: ${figure} (goal: ${goal}) ${isMet ? 'ok' : 'short'}`
}

/** A number with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}

/** What an experiment on a deployment cannot do without. */
export function required<Value>(value: Value | undefined, option: DeploymentOption): Value {
  if (value === undefined) throw new Error(`--${option} is needed against a deployment`)
  return value
}
