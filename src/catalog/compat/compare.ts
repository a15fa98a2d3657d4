import type { OpenApiDocument } from '../document.ts'
import { became, gone, rules, type Change, type Rule } from './change.ts'
import { compareCredentials } from './credentials.ts'
import { compareMessages } from './messages.ts'
import { comparedOperations, type ComparedOperation } from './operations.ts'
import { comparePromises, hasEnded, mayChange } from './promises.ts'
import { createCompareSchemas } from './schemas.ts'

/** A difference between two documents that the compatibility policy does not allow, or would not. */
export type Difference = {
  readonly rule: Rule
  /** What the rule demands. */
  readonly demand: string
  readonly text: string
  /** Which of the two documents the place is in. */
  readonly document: 'old' | 'new'
  readonly file: string
  /** From 1. */
  readonly line: number
  /** JSON Pointer as a URI fragment. */
  readonly pointer: string
  /** The operations that meet it, as the document before names them. */
  readonly operations: readonly string[]
}

export type Comparison = {
  /** What breaks callers. */
  readonly breaking: readonly Difference[]
  /** What would, but for operations in Early Access or Preview, which may change. */
  readonly allowed: readonly Difference[]
}

/**
 * Compare two documents by the compatibility policy of `rules`.
 *
 * @param nowMs milliseconds since the epoch: what was announced to end before may be gone
 */
export function compareDocuments(
  before: OpenApiDocument,
  after: OpenApiDocument,
  nowMs: number,
): Comparison {
  const next = comparedOperations(after)
  const [breaking, allowed] = [createMerge(), createMerge()]
  for (const [key, operation] of comparedOperations(before)) {
    const changes = operationChanges(operation, next.get(key), nowMs)
    const list = mayChange(operation.lifecycle) ? allowed : breaking
    for (const change of changes) list.add(change, operation.name)
  }
  return { breaking: breaking.all(), allowed: allowed.all() }
}

function operationChanges(
  before: ComparedOperation,
  after: ComparedOperation | undefined,
  nowMs: number,
): readonly Change[] {
  if (after === undefined) {
    if (hasEnded(before.lifecycle, nowMs)) return []
    return [gone('operation-removed', before.at, `${before.name} is gone`)]
  }
  const promises = comparePromises(before, after, nowMs)
  if (after.lifecycle.stage === 'sunset') return promises
  const moved =
    before.basePath === after.basePath
      ? []
      : [
          became(
            'base-path-changed',
            after.at,
            `the base path "${before.basePath}" became "${after.basePath}"`,
          ),
        ]
  // Anew for each operation, so that what one of them meets never depends on another.
  const schemas = createCompareSchemas()
  return [
    ...promises,
    ...moved,
    ...compareCredentials(before, after),
    ...compareMessages(before, after, schemas),
  ]
}

/** A difference in a shared schema is told once, with all operations that meet it. */
function createMerge() {
  const merged = new Map<string, Difference & { readonly operations: string[] }>()
  return {
    add({ rule, text, at, document }: Change, operation: string): void {
      const place = at.document.placeOf(at.root, at.pointer)
      const { file, line } = place ?? { file: '', line: 0 }
      const key = [rule, text, file, at.pointer].join(' ')
      const known = merged.get(key)
      if (known !== undefined) {
        if (!known.operations.includes(operation)) known.operations.push(operation)
        return
      }
      const pointer = `#${at.pointer}`
      const demand = rules[rule]
      merged.set(key, {
        rule,
        demand,
        text,
        document,
        file,
        line,
        pointer,
        operations: [operation],
      })
    },
    all: (): readonly Difference[] => [...merged.values()],
  }
}
