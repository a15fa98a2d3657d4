import { basePathOf } from './base-path.ts'
import { crnTemplateOf } from './crn-template.ts'
import { declarationsOf, type Declaration } from './declarations.ts'
import { dereferenced, type OpenApiDocument } from './document.ts'
import { withEarlyAccess, type EarlyAccess } from './early-access.ts'
import { within, type Findings } from './findings.ts'
import { itemsOf, memberOf, textOf } from './json.ts'
import { lifecycleOf } from './lifecycle.ts'
import type { Operation } from './operation.ts'
import { parametersOf } from './parameters.ts'
import { parameterNames, parsePathTemplate, type PathTemplate } from './path-template.ts'
import { withRetirements, type Retirement } from './retirement.ts'
import { compileSecurity, type SecurityRules } from './security.ts'
import { canonicalLiteral } from './segment.ts'
import type { CompileValidation } from './validation/validation.ts'

/** How a group serves the operations of its document. */
export type ServingRules = SecurityRules & {
  readonly name: string
  /** Literal prefix of the served paths, '' or with a slash in front; not part of what is forwarded. */
  readonly mount: string
  /** Replaces the base path of the document's `servers`. */
  readonly basePath?: string | undefined
  /** Absent: what the document says. */
  readonly earlyAccess?: EarlyAccess | undefined
  /** Operations that end; absent: what the document says. */
  readonly retirements?: readonly Retirement[] | undefined
  /** What its operations act on where the document does not say; as `x-gatehouse-crn`. */
  readonly crn?: string | undefined
  /** Whether requests are held against the document. */
  readonly validateRequests?: boolean | undefined
}

/**
 * Compile the operations of one group; whatever is wrong with one of them is reported by its name.
 *
 * @param compileValidation absent: requests are not held against the document
 */
export function compileOperations<G extends ServingRules>(
  document: OpenApiDocument,
  group: G,
  findings: Findings,
  compileValidation?: CompileValidation,
): readonly Operation<G>[] {
  if (canonicalLiteral(group.mount) !== group.mount || !/^(?:\/[^/]+)*$/.test(group.mount)) {
    findings.problem(`its mount "${group.mount}" is not a literal path prefix`)
  }
  const declarations = declarationsOf(document, findings)
  if (declarations.length === 0) findings.warning('its document declares no operations')
  const operations = new Map<string, Operation<G>>()
  // Those without a query string first: they stand for the others of the same path.
  for (const declaration of declarations.toSorted(plainFirst)) {
    const operation = compileOperation(document, declaration, group, findings, compileValidation)
    if (operation) addOperation(operations, operation, declaration, findings)
  }
  const early = withEarlyAccess([...operations.values()], group.earlyAccess ?? false, findings)
  return withRetirements(early, group.retirements ?? [], findings)
}

function plainFirst(a: Declaration, b: Declaration): number {
  return Number(a.variant !== '') - Number(b.variant !== '')
}

function compileOperation<G extends ServingRules>(
  document: OpenApiDocument,
  { method, path: declaredPath, variant, pathItem, operation }: Declaration,
  group: G,
  findings: Findings,
  compileValidation?: CompileValidation,
): Operation<G> | undefined {
  const { root } = document
  const here = within(`${method} ${group.mount}${declaredPath}`, findings)
  const owners = [operation, pathItem, root]
  const basePath = group.basePath ?? declaredBasePath(document, owners, findings)
  const path = group.mount + basePath + (declaredPath.startsWith('/') ? '' : '/') + declaredPath
  const template = parsePathTemplate(path)
  if (template === undefined) {
    here.warning('it is not served: its path cannot be understood')
    return undefined
  }
  const security = memberOf(operation, 'security') ?? memberOf(root, 'security')
  const served = within(`${method} ${path}`, findings)
  warnOfOddities(template, served)
  const parameters = parametersOf(document, pathItem, operation)
  return {
    id: `${group.name} ${method} ${path}`,
    operationId: textOf(memberOf(operation, 'operationId')),
    method,
    path,
    template,
    group,
    // A reference that leads nowhere must not look like security that was never declared.
    security: compileSecurity(dereferenced(document, security) ?? security, root, group, served),
    lifecycle: lifecycleOf(operation, pathItem, served),
    source: { document, key: declaredPath + variant },
    parameters,
    validation: compileValidation?.(document, declaredPath + variant, method, served),
    crn: crnTemplateOf({ operation, pathItem }, group.crn, { template, parameters }, served),
  }
}

function declaredBasePath(
  document: OpenApiDocument,
  owners: readonly unknown[],
  findings: Findings,
): string {
  const lists = owners.map((owner) => itemsOf(dereferenced(document, memberOf(owner, 'servers'))))
  const servers = lists.find(({ length }) => length > 0) ?? []
  const basePath = basePathOf(servers.map((server) => dereferenced(document, server)))
  if (basePath.kind === 'unknown') {
    findings.problem(
      `the base path of its server ${basePath.url} has a variable without a default; set "basePath" of the group`,
    )
    return ''
  }
  if (basePath.others.length > 0) {
    const others = basePath.others.map((path) => `"${path}"`).join(', ')
    findings.warning(
      `its servers differ in their base paths: "${basePath.path}" is served, ${others} is not`,
    )
  }
  return basePath.path
}

function warnOfOddities(template: PathTemplate, findings: Findings): void {
  if (/\/(?:\.{0,2}\/|\.{1,2}$)/.test(template.shape)) {
    findings.warning('no request reaches it: its path has an empty segment or a dot segment')
  }
  for (const name of parameterNames(template)) {
    // Some tools write {name+} or {name*} for several segments, which OpenAPI does not have.
    if (/^[+*]|[+*]$/.test(name)) {
      findings.warning(`its parameter {${name}} matches one segment only, as every parameter does`)
    }
  }
}

function addOperation<G>(
  operations: Map<string, Operation<G>>,
  operation: Operation<G>,
  { variant }: Declaration,
  findings: Findings,
): void {
  const { method, path, template } = operation
  const key = `${method} ${template.shape}`
  const other = operations.get(key)
  if (other === undefined) {
    operations.set(key, operation)
  } else if (variant === '') {
    findings.problem(`${method} ${path}: ${other.path} in the same document has the same shape`)
  } else if (JSON.stringify(other.security) !== JSON.stringify(operation.security)) {
    findings.problem(
      `${method} ${path}${variant}: ${other.path} differs from it in the query alone, but not in what opens it`,
    )
  } else {
    findings.warning(
      `${method} ${path}${variant}: it is served as ${other.path}, since the query tells no operations apart`,
    )
  }
}
