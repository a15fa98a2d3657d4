import type { Findings } from './findings.ts'
import { memberOf, textOf } from './json.ts'

/** Where an operation is in its life, as its document says. */
export type Lifecycle = {
  readonly stage: Stage
  /** When it became, or becomes, deprecated. */
  readonly deprecatedAt: Date | undefined
  /** When it stops working; a moment in the past does not by itself make the stage 'sunset'. */
  readonly sunsetAt: Date | undefined
  /** Whether everyone may call it; otherwise access has to be requested. */
  readonly selfAccess: boolean
  /** What the access is called that has to be requested. */
  readonly requestAccessName: string | undefined
  /** Header fields that tell callers of its end, as names and values in turn; see `withRetirements`. */
  readonly notices: readonly string[]
}

export type Stage =
  | 'early-access'
  | 'preview'
  | 'limited-availability'
  | 'generally-available'
  | 'deprecated'
  | 'sunset'

/** By their letters alone, since documents spell them with spaces, hyphens or neither. */
const stages: Readonly<Record<string, Stage>> = {
  earlyaccess: 'early-access',
  preview: 'preview',
  limitedavailability: 'limited-availability',
  generalavailability: 'generally-available',
  generallyavailable: 'generally-available',
  deprecated: 'deprecated',
  sunset: 'sunset',
}

/**
 * Read the lifecycle of an operation from `deprecated` and the extension fields
 * `x-lifecycle-stage`, `x-deprecated-at`, `x-sunset-at`, `x-self-access` and
 * `x-request-access-name`. Where a field stands on the path item too, the operation's counts.
 */
export function lifecycleOf(operation: unknown, pathItem: unknown, findings: Findings): Lifecycle {
  const field = (name: string): unknown => memberOf(operation, name) ?? memberOf(pathItem, name)
  return {
    stage: stageOf(field('x-lifecycle-stage'), memberOf(operation, 'deprecated'), findings),
    deprecatedAt: timeOf('x-deprecated-at', field('x-deprecated-at'), findings),
    sunsetAt: timeOf('x-sunset-at', field('x-sunset-at'), findings),
    selfAccess: !['false', 'no'].includes(String(field('x-self-access')).toLowerCase()),
    requestAccessName: textOf(field('x-request-access-name')),
    notices: [],
  }
}

/** The grants of which an organization needs one to use an operation; none where everyone may. */
export function grantsThatOpen(
  { stage, selfAccess, requestAccessName }: Lifecycle,
  groupName: string,
): readonly string[] {
  if (stage !== 'early-access' && selfAccess) return []
  return requestAccessName === undefined ? [groupName] : [requestAccessName, groupName]
}

function stageOf(value: unknown, deprecated: unknown, findings: Findings): Stage {
  const written = textOf(value)
  const letters = written?.toLowerCase().replaceAll(/[^a-z]/g, '') ?? 'generallyavailable'
  const stage = Object.hasOwn(stages, letters) ? stages[letters] : undefined
  if (stage === undefined) {
    findings.warning(`its stage "${written ?? ''}" is unknown and taken as generally available`)
  }
  if (deprecated === true && stage !== 'sunset') return 'deprecated'
  return stage ?? 'generally-available'
}

function timeOf(name: string, value: unknown, findings: Findings): Date | undefined {
  if (value === undefined || value === null) return undefined
  const written = textOf(value) ?? ''
  const time = new Date(rfc3339.test(written) ? written : Number.NaN)
  if (!Number.isNaN(time.getTime())) return time
  findings.warning(`its ${name} is not a time in RFC 3339`)
  return undefined
}

/** A day, or a moment with its offset: what Date takes besides is read in the zone of the machine. */
const rfc3339 = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d))?$/
