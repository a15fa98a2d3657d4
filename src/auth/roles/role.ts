/** Which operations a role holds; in every text `*` stands for any characters, or none. */
export type OperationPattern = {
  /** The name of the operation's group, for example `iam/v2`. */
  readonly group: string
  readonly operationId?: string | undefined
  /** Absent: any. */
  readonly methods?: readonly string[] | undefined
  /** As served, parameters in braces. */
  readonly path?: string | undefined
}

/** Roles by their names, as they are configured. */
export type RoleDefinitions = Readonly<
  Record<string, { readonly operations: readonly OperationPattern[] }>
>

/** What roles are compiled against. */
export type KnownOperation = {
  readonly id: string
  readonly operationId: string | undefined
  readonly method: string
  readonly path: string
  readonly group: { readonly name: string }
}

/** The ids of the operations of each role, by its name. */
export type Roles = ReadonlyMap<string, ReadonlySet<string>>

/**
 * Compile roles to the operations that they hold.
 *
 * @returns the roles, and a sentence for each pattern that means no operation: who wrote it meant
 *   one that is spelt otherwise, or is not served
 */
export function compileRoles(
  definitions: RoleDefinitions,
  operations: readonly KnownOperation[],
): { readonly roles: Roles; readonly problems: readonly string[] } {
  const roles = new Map<string, ReadonlySet<string>>()
  const problems: string[] = []
  for (const [name, { operations: patterns }] of Object.entries(definitions)) {
    const held = patterns.map((pattern) => operations.filter((each) => isMeant(pattern, each)))
    held.forEach(({ length }, index) => {
      if (length === 0) problems.push(`role "${name}": operations.${index} names no operation`)
    })
    roles.set(name, new Set(held.flat().map(({ id }) => id)))
  }
  return { roles, problems }
}

/** The names of the roles that hold an operation. */
export function rolesHolding(roles: Roles, operation: string): readonly string[] {
  return [...roles].filter(([, held]) => held.has(operation)).map(([name]) => name)
}

function isMeant(pattern: OperationPattern, operation: KnownOperation): boolean {
  const { group, operationId, methods, path } = pattern
  if (!isLike(group, operation.group.name)) return false
  if (methods !== undefined && !methods.includes(operation.method)) return false
  if (path !== undefined && !isLike(path, operation.path)) return false
  return operationId === undefined || isLike(operationId, operation.operationId)
}

function isLike(pattern: string, text: string | undefined): boolean {
  if (text === undefined) return false
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text)
}
