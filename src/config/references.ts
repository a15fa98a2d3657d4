import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Path, Problem, Source } from './source.ts'

/** Where `${NAME}` is looked up. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What came of expanding references. */
export type Expansion = {
  readonly problems: readonly Problem[]
  /** Values that consist of one reference and nothing else. */
  readonly referenced: readonly Path[]
}

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g

/** Replace `${NAME}` and `${NAME:-default}` in every value, in place. */
export function expandReferences(source: Source, environment: Environment): Expansion {
  const problems: Problem[] = []
  const referenced: Path[] = []
  for (const { path, node } of source.texts()) {
    const text = node.value
    if (!text.includes('${')) continue
    if (text.replace(reference, '') === '') referenced.push(path)
    node.value = text.replaceAll(reference, (_, name: string, fallback: string | undefined) => {
      const value = environment[name] === '' ? undefined : environment[name]
      if (value === undefined && fallback === undefined) {
        problems.push({ path, message: `The environment variable ${name} is not set` })
      }
      return value ?? fallback ?? ''
    })
  }
  return { problems, referenced }
}

const longestSecret = 65_536

/** Replace `file:PATH` by the file's content where a secret stands, without its final line break. */
export async function readSecretFiles(source: Source, folder: string): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  for (const { path, node } of source.texts()) {
    if (!isSecret(path) || !node.value.startsWith('file:')) continue
    try {
      const text = await readFile(resolve(folder, node.value.slice('file:'.length)), 'utf8')
      if (text.length > longestSecret) problems.push({ path, message: 'The file is too long' })
      node.value = text.replace(/\r?\n$/, '')
    } catch {
      problems.push({ path, message: `The file of ${node.value} cannot be read` })
    }
  }
  return problems
}

function isSecret(path: Path): boolean {
  const name = path.map(String).join('.')
  return /^(?:redis\.url|directory\.url|directory\.pepper\..*\.secret)$/.test(name)
}
