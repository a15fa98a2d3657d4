import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

// No expression of the sources may take more than linear time: what it reads is chosen by callers and
// upstreams.

// The analyser itself, rather than a server or a program of another platform.
process.env['RECHECK_BACKEND'] = 'pure'
const { checkSync } = await import('recheck')

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

/** @returns how the time that an expression takes grows; undefined where it is linear */
function complexity(source: string, flags: string): string | undefined {
  // No clock decides. Look-arounds are beyond its automata, and are tried with texts made from a seed.
  const found = checkSync(source, flags, { randomSeed: 1, timeout: null })
  if (found.status === 'safe') return undefined
  return found.status === 'vulnerable' ? found.complexity.summary : found.error.kind
}

describe('the check itself', () => {
  test.each(['^(a+)+$', '(x|x)*y', '^(?:[a-z]+,?)*;$', ',+$', '\\s+$'])('finds %s', (source) => {
    expect(complexity(source, '')).toMatch(/exponential|polynomial/)
  })
})

test('expressions are found', () => {
  expect(expressions().length).toBeGreaterThan(50)
})

test.each(expressions())('$place /$source/ is linear', ({ source, flags }) => {
  expect(complexity(source, flags)).toBeUndefined()
})
