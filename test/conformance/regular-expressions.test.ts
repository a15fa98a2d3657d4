import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { runInNewContext } from 'node:vm'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

// No expression of the sources may take more than linear time, or nearly: what it reads is chosen by
// callers and upstreams. Each is run on texts that make backtracking ones explode.

const root = resolve(import.meta.dirname, '../..')

type Expression = { readonly source: string; readonly flags: string; readonly place: string }

/** Every regular expression literal below `src`. */
function expressions(): readonly Expression[] {
  return globSync('src/**/*.ts', { cwd: root }).flatMap((file) => {
    const found: Expression[] = []
    const text = readFileSync(join(root, file), 'utf8')
    const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const end = node.text.lastIndexOf('/')
        const { line } = tree.getLineAndCharacterOfPosition(node.getStart())
        const place = `${file}:${line + 1}`
        found.push({ source: node.text.slice(1, end), flags: node.text.slice(end + 1), place })
      }
      ts.forEachChild(node, visit)
    }
    visit(tree)
    return found
  })
}

/** As long as the longest text that is matched whole: the head of an upstream’s answer. */
const length = 32_768

/** For all texts together; linear ones take a hundredth of it. */
const deadlineMs = 20_000

/** Characters that the expression itself speaks of, and some of each common class. */
function alphabet(source: string): readonly string[] {
  const plain = source.replaceAll(/\\[a-zA-Z]|[[\](){}?*+^$|\\]/g, '')
  return [...new Set(Array.from(plain + 'a0A_-. \t/,:;%=@"'))].slice(0, 24)
}

/** Runs of each character and pair, alone, behind what the expression begins with, and unfinished. */
function* attacks(source: string): Generator<string> {
  const letters = alphabet(source)
  const words = source.match(/[A-Za-z][A-Za-z-]{2,}/g) ?? []
  const pumps = [
    ...letters,
    ...words,
    ...letters.flatMap((one) => letters.slice(0, 8).map((other) => one + other)),
  ]
  for (const pump of pumps) {
    const run = pump.repeat(Math.ceil(length / pump.length)).slice(0, length)
    for (const end of ['', '\0', '!\n']) yield run + end
  }
  for (const word of words) {
    for (const letter of letters) yield word + letter.repeat(length) + '\0'
  }
}

/** @returns the beginning of a text that takes too long, or undefined */
function explodes(source: string, flags: string): string | undefined {
  const state = { source, flags, texts: [...attacks(source)], at: 0 }
  try {
    // V8 looks at the deadline also while it backtracks.
    runInNewContext(run, state, { timeout: deadlineMs })
    return undefined
  } catch {
    // The deadline's error, since every literal of the sources compiles.
    return state.texts[state.at]?.slice(0, 40)
  }
}

const run = `
  const expression = new RegExp(source, flags)
  for (; at < texts.length; at++) {
    expression.lastIndex = 0
    expression.test(texts[at])
  }`

describe('the check itself', () => {
  test.each(['^(a+)+$', '(x|x)*y', '^(?:[a-z]+,?)*;$', ',+$', '\\s+$'])('finds %s', (source) => {
    expect(explodes(source, '')).toBeTypeOf('string')
  })
})

test('expressions are found', () => {
  expect(expressions().length).toBeGreaterThan(50)
})

test.each(expressions())('$place /$source/ is linear, or nearly', ({ source, flags }) => {
  expect(explodes(source, flags)).toBeUndefined()
})
