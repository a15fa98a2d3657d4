import { CatalogError } from './catalog-error.ts'
import { loadDocument, type OpenApiDocument } from './document.ts'
import { collectFindings, within, type Findings } from './findings.ts'
import { compileOperations, type ServingRules } from './group-operations.ts'
import { parseHostPattern } from './host-pattern.ts'
import type { ServedGroup } from './host-scopes.ts'
import { createMatcher, type MatchRequest } from './matcher.ts'
import type { Operation } from './operation.ts'
import { reportOverlaps } from './overlap.ts'
import type { ResourceRule } from './resource.ts'
import { reportResourceRule } from './resource-rule.ts'
import type { CompileValidation } from './validation/validation.ts'

/** What a group is compiled from; the group itself comes back on its operations. */
export type GroupSource = ServingRules & {
  /** Absolute path of the OpenAPI document. */
  readonly documentPath: string
  /** In lower case; `{name}` stands for one label. Empty: any host. */
  readonly hosts: readonly string[]
  readonly resource?: ResourceRule | undefined
}

/** Every operation of every group, compiled. It never changes. */
export type Catalog<G> = {
  readonly operations: readonly Operation<G>[]
  readonly match: MatchRequest<G>
  /** Absolute paths of every file that it was compiled from. */
  readonly files: readonly string[]
}

/**
 * Load the documents of all groups and compile their operations.
 *
 * @returns the catalog, and sentences about what works but may not be meant
 * @throws {CatalogError} with every problem of every group
 */
export async function compileCatalog<G extends GroupSource>(
  groups: readonly G[],
): Promise<{ readonly catalog: Catalog<G>; readonly warnings: readonly string[] }> {
  const findings = collectFindings()
  const served: ServedGroup<G>[] = []
  const files = new Set<string>()
  for (const group of groups) {
    const named = within(`group "${group.name}"`, findings)
    const document = await documentOf(group, named)
    for (const file of document?.files ?? []) files.add(file)
    const compileValidation = await validationOf(group)
    const operations = operationsOf(group, document, named, compileValidation)
    served.push({ group, hosts: group.hosts, operations })
  }
  reportRepeatedNames(groups, findings)
  reportOverlaps(served, findings)
  const problems = findings.problems()
  if (problems.length > 0) throw new CatalogError(problems)
  const operations = served.flatMap((group) => group.operations)
  const catalog = { operations, match: createMatcher(served), files: [...files] }
  return { catalog, warnings: findings.warnings() }
}

function operationsOf<G extends GroupSource>(
  group: G,
  document: OpenApiDocument | undefined,
  findings: Findings,
  compileValidation: CompileValidation | undefined,
): readonly Operation<G>[] {
  reportHosts(group, findings)
  if (document === undefined) return []
  const operations = compileOperations(document, group, findings, compileValidation)
  reportResourceRule(group, operations, findings)
  return operations
}

/** What validates takes a tenth of a second to load, so it is loaded where it is asked for. */
async function validationOf(group: GroupSource): Promise<CompileValidation | undefined> {
  if (group.validateRequests !== true) return undefined
  return (await import('./validation/validation.ts')).compileValidation
}

async function documentOf(
  { documentPath }: GroupSource,
  findings: Findings,
): Promise<OpenApiDocument | undefined> {
  try {
    return await loadDocument(documentPath)
  } catch (error) {
    // Whatever it is, the other groups are still compiled, so that all mistakes are known at once.
    findings.problem(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

function reportRepeatedNames(groups: readonly GroupSource[], findings: Findings): void {
  for (const [name, { length }] of Map.groupBy(groups, (group) => group.name)) {
    if (length > 1) findings.problem(`${length} groups are called "${name}"`)
  }
}

function reportHosts({ hosts }: GroupSource, findings: Findings): void {
  for (const host of hosts) {
    if (parseHostPattern(host) === undefined) {
      findings.problem(`"${host}" is not a host name; {name} stands for one whole label`)
    }
  }
}
