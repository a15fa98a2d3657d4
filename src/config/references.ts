import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import type { Path, Problem } from './problem.ts'
import type { Source } from './source.ts'

/** Where `${NAME}` is looked up. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What came of expanding references. */
export type Expansion = {
  readonly problems: readonly Problem[]
  /** Values that consist of one reference and nothing else. */
  readonly referenced: readonly Path[]
}

/** A default holds no reference of its own. */
const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-((?:(?!\$\{)[^}])*))?\}/g

/** Replace `${NAME}` and `${NAME:-default}` in every value, in place. */
export function expandReferences(source: Source, environment: Environment): Expansion {
  const problems: Problem[] = []
  const referenced: Path[] = []
  for (const { path, node } of source.texts()) {
    const text = node.value
    if (!text.includes('${')) continue
    const between = text.replaceAll(reference, '')
    if (between === '') referenced.push(path)
    if (between.includes('${')) {
      problems.push({ path, message: 'A reference must be ${NAME} or ${NAME:-default}' })
    }
    node.value = text.replaceAll(reference, (_, name: string, fallback: string | undefined) => {
      const value = valueOf(name, environment)
      if (value === undefined && fallback === undefined) {
        problems.push({ path, message: `The environment variable ${name} is not set` })
      }
      return value ?? fallback ?? ''
    })
  }
  return { problems, referenced }
}

/** Undefined where the variable is empty, as in a shell's `:-`. */
function valueOf(name: string, environment: Environment): string | undefined {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined
  return value === '' ? undefined : value
}

const longestSecretBytes = 65_536

/** Replace `file:PATH` by the file's content where a secret stands, without its final line break. */
export async function readSecretFiles(source: Source, folder: string): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  for (const { path, node } of source.texts()) {
    if (!isSecret(path) || !node.value.startsWith('file:')) continue
    const secret = await readSecret(resolve(folder, node.value.slice('file:'.length)))
    if ('problem' in secret) problems.push({ path, message: secret.problem })
    else node.value = secret.text
  }
  return problems
}

/** The path stays out of the problem: where it came from the environment, it may be a secret. */
async function readSecret(
  path: string,
): Promise<{ readonly text: string } | { readonly problem: string }> {
  try {
    const bytes = await readStart(path, longestSecretBytes + 1)
    if (bytes.length > longestSecretBytes) return { problem: 'The file is too long' }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '')
    return text === '' ? { problem: 'The file is empty' } : { text }
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason'
    return { problem: `The file cannot be read: ${reason}` }
  }
}

/** No more than so many bytes: a device has no end. */
async function readStart(path: string, bytes: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of createReadStream(path, { end: bytes - 1 })) {
    // A stream without an encoding yields buffers.
    pieces.push(piece as Buffer)
  }
  return Buffer.concat(pieces)
}

function isSecret(path: Path): boolean {
  const name = path.map(String).join('.')
  return /^(?:redis\.(?:url|password|sentinel\.password|tls\.(?:ca|cert|key))|directory\.url|directory\.pepper\..*\.secret)$/.test(
    name,
  )
}
