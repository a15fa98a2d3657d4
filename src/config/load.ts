import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { crossCheck } from './cross-check.ts'
import { expandReferences, readSecretFiles, type Environment } from './references.ts'
import { configurationSchema, type Configuration } from './schema.ts'
import type { Path, Problem } from './problem.ts'
import { parseSource, type Source } from './source.ts'

/** Everything that is wrong with a configuration, each as `file:line:column path message`. */
export class ConfigurationError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigurationError'
    this.problems = problems
  }
}

/**
 * Read a configuration file: expand `${NAME}` and `${NAME:-default}` from the environment and
 * `file:` references to secrets, check it, and resolve paths relative to the file.
 *
 * @throws {ConfigurationError} with every mistake at once; no message holds a secret
 */
export async function loadConfiguration(
  file: string,
  environment: Environment,
): Promise<Configuration> {
  const source = parseSource(file, await readText(file))
  if (source.problems.length > 0) throw failure(source, source.problems)
  const expansion = expandReferences(source, environment)
  const missing = [...expansion.problems, ...(await readSecretFiles(source, dirname(file)))]
  const validated = validate(source, expansion.referenced)
  const problems = [...missing, ...validated.problems.filter(notAt(missing))]
  if (problems.length > 0 || validated.configuration === undefined) throw failure(source, problems)
  return withResolvedPaths(validated.configuration, dirname(file))
}

/** A value that could not be read is one mistake; what the schema says of it would be another. */
function notAt(known: readonly Problem[]): (problem: Problem) => boolean {
  const places = new Set(known.map(({ path }) => placeOf(path)))
  return ({ path }) => !places.has(placeOf(path))
}

function placeOf(path: Path): string {
  return path.map(String).join('\0')
}

async function readText(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
  } catch (cause) {
    throw new ConfigurationError([`${file}:1:1 The file cannot be read: ${reasonOf(cause)}`])
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason'
}

/** The configuration counts only where there are no problems. */
type Validated = {
  readonly problems: readonly Problem[]
  readonly configuration: Configuration | undefined
}

function validate(source: Source, referenced: readonly Path[]): Validated {
  const first = configurationSchema.safeParse(source.toValue())
  // The environment holds text only; where the schema wants a number or a flag, text is read as one.
  const texts = new Set(referenced.map(placeOf))
  for (const { path } of first.error?.issues ?? []) {
    if (texts.has(placeOf(path))) source.retype(path)
  }
  const value = source.toValue()
  const { data, error } = configurationSchema.safeParse(value)
  const problems = [...(error?.issues ?? []).flatMap(problemsOf), ...crossCheck(value)]
  return { problems, configuration: data }
}

type Issue = { readonly path: PropertyKey[]; readonly message: string } & (
  | { readonly code: 'unrecognized_keys'; readonly keys: string[] }
  | { readonly code: Exclude<string, 'unrecognized_keys'> }
)

function problemsOf(issue: Issue): readonly Problem[] {
  if (!('keys' in issue)) return [{ path: issue.path, message: issue.message }]
  return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'is not a known key' }))
}

function failure(source: Source, problems: readonly Problem[]): ConfigurationError {
  return new ConfigurationError(source.describe(problems))
}

function withResolvedPaths(configuration: Configuration, folder: string): Configuration {
  return {
    ...configuration,
    listen: {
      ...configuration.listen,
      public: withResolvedTls(configuration.listen.public, folder),
    },
    directory: {
      ...configuration.directory,
      folder: resolve(folder, configuration.directory.folder),
    },
    tokens: withResolvedKeyFiles(configuration.tokens, folder),
    apiGroups: configuration.apiGroups.map((group) => ({
      ...group,
      document: resolve(folder, group.document),
      upstream: group.upstream && withResolvedTls(group.upstream, folder),
    })),
  }
}

/** Of whatever has files for TLS. */
function withResolvedTls<Part extends { readonly tls?: object | undefined }>(
  part: Part,
  folder: string,
): Part {
  if (part.tls === undefined) return part
  const files = Object.entries(part.tls).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? resolve(folder, value) : value,
  ])
  return { ...part, tls: Object.fromEntries(files) as Part['tls'] }
}

function withResolvedKeyFiles(
  tokens: Configuration['tokens'],
  folder: string,
): Configuration['tokens'] {
  const { files } = tokens.signingKeys
  if (files === undefined) return tokens
  const absolute = {
    current: resolve(folder, files.current),
    next: files.next === undefined ? undefined : resolve(folder, files.next),
    previous: files.previous.map((file) => resolve(folder, file)),
  }
  return { ...tokens, signingKeys: { ...tokens.signingKeys, files: absolute } }
}
