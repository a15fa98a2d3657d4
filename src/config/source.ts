import {
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Scalar,
  type YAMLError,
} from 'yaml'
import type { Path, Problem } from './problem.ts'
import { plainValue, refusedYaml } from './refused-yaml.ts'

/** A configuration file as text with positions. */
export type Source = {
  /** What makes it no YAML that we accept. */
  readonly problems: readonly Problem[]
  /** Every text value and its path; keys are not among them. */
  texts(): readonly { readonly path: Path; readonly node: Scalar<string> }[]
  toValue(): unknown
  /** Read the text at a path as a whole number or a flag, if it is one: '8080' becomes a number. */
  retype(path: Path): void
  /** Each as `file:line:column path message`, in the order of the text. */
  describe(problems: readonly Problem[]): readonly string[]
}

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
  const mistakes = [...document.errors, ...document.warnings].map(syntaxProblem)
  return {
    problems: mistakes.length > 0 ? mistakes : refusedYaml(document),
    texts: () => textsOf(document),
    toValue: () => plainValue(document),
    retype(path) {
      const node = document.getIn(path, true)
      if (isScalar(node) && typeof node.value === 'string') node.value = scalarOf(node.value)
    },
    describe: (problems) =>
      problems
        .map((problem) => ({
          ...problem,
          offset: problem.offset ?? offsetOf(document, problem.path),
        }))
        .sort((one, other) => one.offset - other.offset)
        .map(({ path, message, offset }) => {
          const { line, col } = lines.linePos(offset)
          const place = `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`
          return [place, path.map(shown).join('.'), message].filter((word) => word !== '').join(' ')
        }),
  }
}

/** Of these kinds the parser quotes text in the middle of a message. */
const ownMessages: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  MULTIPLE_DOCS: 'A configuration is one document',
  TAG_RESOLVE_FAILED: 'Tags are not allowed',
  BAD_DIRECTIVE: 'The directive is not allowed',
  BAD_DQ_ESCAPE: 'The escape sequence is not valid',
}

/** The parser quotes the text behind a colon too, and that may be a secret. */
function syntaxProblem({ code, message, pos: [offset] }: YAMLError): Problem {
  const told = ownMessages[code] ?? message.replace(/(?<=\S): .*$/s, '')
  return { path: [], message: told, offset }
}

/** A key as problems show it. What is no name may be a secret that slipped into a key's place. */
function shown(key: PropertyKey): string {
  const text = String(key)
  return /^[\w./-]{1,100}$/.test(text) ? text : '…'
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

/** No parser is asked: it would quote, in what it throws, text that may be a secret. */
function scalarOf(text: string): unknown {
  if (/^[-+]?[0-9]+$/.test(text)) return Number(text)
  return text === 'true' || text === 'false' ? text === 'true' : text
}
