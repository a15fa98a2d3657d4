import type { Findings } from './findings.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Operation } from './operation.ts'

/** What the configuration says of operations that end, beside what their document says. */
export type Retirement = {
  /** `METHOD /path` as served; absent: every operation of the group. */
  readonly operations?: readonly string[] | undefined
  readonly stage: 'deprecated' | 'sunset'
  /** RFC 3339, as `sunsetAt`. */
  readonly deprecatedAt?: string | undefined
  readonly sunsetAt?: string | undefined
  /** Where callers read more, and what they turn to: absolute URLs. */
  readonly links: RetirementLinks
  /** Whether a shorter notice than callers were promised is meant: a hole in security, say. */
  readonly critical: boolean
}

/** By link relation: RFC 9745 §3, RFC 8594 §6, RFC 5829 §3.3. */
export type RetirementLinks = {
  readonly deprecation?: string | undefined
  readonly sunset?: string | undefined
  readonly successorVersion?: string | undefined
}

/** Callers are told of the end of an operation so long before. */
const noticeDays = 180

const dayMs = 86_400_000

/**
 * Retire operations as the configuration says; the last entry that names an operation counts. What
 * the configuration leaves out stands as in the document.
 *
 * An operation that ends less than 180 days after it was deprecated is a problem unless that is
 * marked as critical; one that ends before it is deprecated always is (RFC 9745 §4).
 */
export function withRetirements<G>(
  operations: readonly Operation<G>[],
  retirements: readonly Retirement[],
  findings: Findings,
): readonly Operation<G>[] {
  const byName = new Map<string, Retirement>()
  const known = new Set(operations.map(nameOf))
  for (const retirement of retirements) {
    for (const name of retirement.operations ?? known) {
      if (!known.has(name)) findings.problem(`"retirements" names "${name}", which is no operation`)
      byName.set(name, retirement)
    }
  }
  return operations.map((operation) => {
    const name = nameOf(operation)
    const retirement = byName.get(name)
    const lifecycle = retired(operation.lifecycle, retirement)
    const problem = noticeProblem(lifecycle, retirement?.critical ?? false)
    if (problem !== undefined) findings.problem(`${name}: ${problem}`)
    return { ...operation, lifecycle: { ...lifecycle, notices: noticesOf(lifecycle, retirement) } }
  })
}

function nameOf({ method, path }: Operation<unknown>): string {
  return `${method} ${path}`
}

function retired(lifecycle: Lifecycle, retirement: Retirement | undefined): Lifecycle {
  if (retirement === undefined) return lifecycle
  return {
    ...lifecycle,
    stage: retirement.stage,
    deprecatedAt: dateOf(retirement.deprecatedAt) ?? lifecycle.deprecatedAt,
    sunsetAt: dateOf(retirement.sunsetAt) ?? lifecycle.sunsetAt,
  }
}

function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text)
}

function noticeProblem(
  { deprecatedAt, sunsetAt }: Lifecycle,
  isCritical: boolean,
): string | undefined {
  if (deprecatedAt === undefined || sunsetAt === undefined) return undefined
  const days = (sunsetAt.getTime() - deprecatedAt.getTime()) / dayMs
  if (days < 0) return 'it ends before it is deprecated'
  if (isCritical || days >= noticeDays) return undefined
  return `it ends ${Math.floor(days)} days after it is deprecated; callers have ${noticeDays}, unless "retirements" marks it as critical`
}

/**
 * The header fields that tell callers of the end of an operation, as names and values in turn: the
 * same with every answer, so they are made once.
 *
 * @see RFC 9745 §2 (Deprecation), RFC 8594 §3 (Sunset), RFC 8288 (Link)
 */
function noticesOf(
  { stage, deprecatedAt, sunsetAt }: Lifecycle,
  retirement: Retirement | undefined,
): readonly string[] {
  if (stage !== 'deprecated' && stage !== 'sunset' && sunsetAt === undefined) return []
  const notices: string[] = []
  if (deprecatedAt !== undefined) {
    notices.push('Deprecation', `@${Math.floor(deprecatedAt.getTime() / 1000)}`)
  }
  if (sunsetAt !== undefined) notices.push('Sunset', sunsetAt.toUTCString())
  const { deprecation, sunset, successorVersion } = retirement?.links ?? {}
  for (const [relation, url] of [
    ['deprecation', deprecation],
    ['sunset', sunset],
    ['successor-version', successorVersion],
  ] as const) {
    if (url !== undefined) notices.push('Link', `<${url}>; rel="${relation}"`)
  }
  return notices
}
