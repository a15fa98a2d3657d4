import {
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parse,
  parseDocument,
  visit,
  type Document,
  type Node,
  type Scalar,
} from 'yaml'

/** Keys and indexes from the root of the configuration to a value. */
export type Path = readonly PropertyKey[]

/** One mistake and where it is. */
export type Problem = {
  readonly path: Path
  readonly message: string
  /** Offset in the text, where it is known better than by the path. */
  readonly offset?: number
}

/** A configuration file as text with positions. */
export type Source = {
  /** What makes it no YAML that we accept. */
  readonly problems: readonly Problem[]
  /** Every text value and its path; keys are not among them. */
  texts(): readonly { readonly path: Path; readonly node: Scalar<string> }[]
  toValue(): unknown
  /** Read the text at a path as YAML would, so that '8080' becomes a number. */
  retype(path: Path): void
  /** `file:line:column path message` */
  describe(problem: Problem): string
}

const maxAliases = 100

/** Parse YAML 1.2 (core schema), refusing what makes two readers disagree: duplicate keys, tags, merges. */
export function parseSource(file: string, text: string): Source {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    prettyErrors: false,
    lineCounter: lines,
  })
  const problems = [...document.errors, ...document.warnings].map(
    ({ message, pos: [offset] }): Problem => ({ path: [], message, offset }),
  )
  if (problems.length === 0) problems.push(...unsafeKeys(document), ...aliasProblems(document))
  return {
    problems,
    texts: () => textsOf(document),
    toValue: () => document.toJS({ maxAliasCount: maxAliases }) as unknown,
    retype(path) {
      const node = document.getIn(path, true)
      if (isScalar(node) && typeof node.value === 'string') node.value = scalarOf(node.value)
    },
    describe(problem) {
      const { line, col } = lines.linePos(problem.offset ?? offsetOf(document, problem.path))
      const path = problem.path.map(String).join('.')
      const words = [path, problem.message].filter((word) => word !== '').join(' ')
      return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)} ${words}`
    },
  }
}

/** A key such as `__proto__` would reach Object.prototype on the way through plain objects. */
function unsafeKeys(document: Document.Parsed): readonly Problem[] {
  const problems: Problem[] = []
  visit(document, {
    Pair(_, { key }) {
      if (!isScalar(key)) return
      if (['__proto__', 'constructor', 'prototype'].includes(String(key.value))) {
        const offset = key.range?.[0] ?? 0
        problems.push({ path: [], message: `The key ${String(key.value)} is not allowed`, offset })
      }
    },
  })
  return problems
}

function aliasProblems(document: Document.Parsed): readonly Problem[] {
  try {
    document.toJS({ maxAliasCount: maxAliases })
    return []
  } catch {
    return [{ path: [], message: 'The aliases expand to too much' }]
  }
}

function textsOf(document: Document.Parsed) {
  const found: { path: Path; node: Scalar<string> }[] = []
  walk(document.contents, [], found)
  return found
}

function walk(node: unknown, path: Path, found: { path: Path; node: Scalar<string> }[]): void {
  if (isScalar(node)) {
    // The guard above says nothing about the type of the value.
    if (typeof node.value === 'string') found.push({ path, node: node as Scalar<string> })
  } else if (isMap(node)) {
    for (const { key, value } of node.items) walk(value, [...path, keyText(key)], found)
  } else if (isNode(node) && 'items' in node && Array.isArray(node.items)) {
    node.items.forEach((item: unknown, index: number) => {
      walk(item, [...path, index], found)
    })
  }
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key)
}

/** Where a value is; for one that is missing, where what should hold it is. */
function offsetOf(document: Document.Parsed, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent: unknown =
      length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const last = path[length - 1]
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => keyText(key) === String(last))
      if (pair !== undefined) return startOf(pair.key)
    }
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (isNode(node)) return startOf(node)
  }
  return 0
}

function startOf(node: unknown): number {
  return (isNode(node) ? (node as Node).range?.[0] : undefined) ?? 0
}

function scalarOf(text: string): unknown {
  const value: unknown = parse(text, { version: '1.2', schema: 'core' })
  return typeof value === 'number' || typeof value === 'boolean' ? value : text
}
