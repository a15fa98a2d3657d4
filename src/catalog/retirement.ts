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
 * marked as critical; one that ends before it is deprecated always is (RFC 9745 §4). Where nothing
 * says since when it is deprecated, that cannot be told, which is a warning.
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
    if (isUndated(lifecycle)) {
      findings.warning(
        `${name}: nothing says since when it is deprecated: callers read @0, and their ${noticeDays} days are not checked`,
      )
    }
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

function isUndated({ stage, deprecatedAt }: Lifecycle): boolean {
  return stage === 'deprecated' && deprecatedAt === undefined
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
 * same with every answer, so they are made once. An end that is only announced is told as well.
 *
 * @see RFC 9745 §2 (Deprecation), RFC 8594 §3 (Sunset), RFC 8288 (Link)
 */
function noticesOf(lifecycle: Lifecycle, retirement: Retirement | undefined): readonly string[] {
  const { stage, deprecatedAt, sunsetAt } = lifecycle
  const notices: string[] = []
  if (deprecatedAt !== undefined) notices.push('Deprecation', dateField(deprecatedAt))
  else if (isUndated(lifecycle)) notices.push('Deprecation', dateField(longAgo))
  if (sunsetAt !== undefined) notices.push('Sunset', sunsetAt.toUTCString())
  const isEnding = stage === 'deprecated' || stage === 'sunset' || notices.length > 0
  return isEnding ? [...notices, ...linksOf(retirement)] : []
}

/** The field takes nothing but a date (RFC 9745 §2.1): one that nobody takes for the day itself. */
const longAgo = new Date(0)

/** @see RFC 9651 §3.3.7 */
function dateField(date: Date): string {
  return `@${Math.floor(date.getTime() / 1_000)}`
}

function linksOf(retirement: Retirement | undefined): readonly string[] {
  const { deprecation, sunset, successorVersion } = retirement?.links ?? {}
  return [
    ['deprecation', deprecation] as const,
    ['sunset', sunset] as const,
    ['successor-version', successorVersion] as const,
  ].flatMap(([relation, url]) =>
    // As the URL parser writes it, nothing in it ends the link or the field.
    url === undefined ? [] : ['Link', `<${new URL(url).href}>; rel="${relation}"`],
  )
}
