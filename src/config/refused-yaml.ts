import { isAlias, isCollection, isPair, isScalar, visit, type Document } from 'yaml'
import type { Problem } from './problem.ts'

/** Deeper than any configuration; what walks the document may recurse. */
const maxDepth = 50
const maxAliases = 100

/** Valid YAML that is refused, because two readers may disagree about it or it may do harm. */
export function refusedYaml(document: Document.Parsed): readonly Problem[] {
  const tooDeep = tooDeepAt(document.contents, 0)
  if (tooDeep !== undefined) {
    return [{ path: [], message: 'The nesting is too deep', offset: tooDeep }]
  }
  const problems = [...refusedKeys(document), ...refusedNodes(document)]
  return problems.length > 0 ? problems : aliasProblems(document)
}

/** The value as plain objects. */
export function plainValue(document: Document.Parsed): unknown {
  return document.toJS({ maxAliasCount: maxAliases }) as unknown
}

function tooDeepAt(node: unknown, depth: number): number | undefined {
  if (isPair(node)) return tooDeepAt(node.key, depth) ?? tooDeepAt(node.value, depth)
  if (!isCollection(node)) return undefined
  if (depth >= maxDepth) return node.range?.[0] ?? 0
  for (const item of node.items) {
    const offset = tooDeepAt(item, depth + 1)
    if (offset !== undefined) return offset
  }
  return undefined
}

/** A key such as `__proto__` would reach Object.prototype on the way through plain objects. */
const dangerousKeys = ['__proto__', 'constructor', 'prototype']

function refusedKeys(document: Document.Parsed): readonly Problem[] {
  const problems: Problem[] = []
  visit(document, {
    Pair(_, { key }) {
      const message = keyProblem(key)
      if (message !== undefined) problems.push({ path: [], message, offset: offsetOf(key) })
    },
  })
  return problems
}

function keyProblem(key: unknown): string | undefined {
  if (!isScalar(key) || key.value === null || key.value === '') return 'A key must be a name'
  if (key.value === '<<') return 'Merge keys are not allowed'
  const dangerous = dangerousKeys.find((each) => each === key.value)
  return dangerous === undefined ? undefined : `The key ${dangerous} is not allowed`
}

/** Tags and aliases are never quoted: a secret without quotes may begin with `!` or `*`. */
function refusedNodes(document: Document.Parsed): readonly Problem[] {
  const problems: Problem[] = []
  visit(document, {
    Node(_, node) {
      const offset = offsetOf(node)
      if (node.tag !== undefined) {
        problems.push({ path: [], message: 'Tags are not allowed', offset })
      }
      if (isAlias(node) && node.resolve(document) === undefined) {
        problems.push({ path: [], message: 'The alias names no anchor before it', offset })
      }
    },
  })
  return problems
}

function aliasProblems(document: Document.Parsed): readonly Problem[] {
  try {
    plainValue(document)
    return []
  } catch {
    return [{ path: [], message: 'The aliases expand to too much' }]
  }
}

function offsetOf(node: unknown): number {
  return isScalar(node) || isCollection(node) || isAlias(node) ? (node.range?.[0] ?? 0) : 0
}
