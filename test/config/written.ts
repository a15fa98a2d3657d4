import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError, loadConfiguration } from '../../src/config/load.ts'
import type { Environment } from '../../src/config/references.ts'
import type { Configuration } from '../../src/config/schema.ts'

/** The smallest configuration: what a test is about is added to it. */
export const smallest = {
  limits: { classes: { standard: {} } },
  apiGroups: [
    {
      name: 'demo/v1',
      document: 'apis/demo.yaml',
      upstream: { urls: ['http://127.0.0.1:9000'] },
      limitClass: 'standard',
    },
  ],
}

/** What a configuration is read with. */
export type Surroundings = {
  readonly environment?: Environment
  /** Files beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string | Buffer>>
}

/** What came of reading a configuration; problems as they are told, but for the folder's name. */
export type Outcome =
  | { readonly folder: string; readonly configuration: Configuration }
  | { readonly folder: string; readonly problems: readonly string[] }

/** Write a configuration, as text or as a value, into a folder of its own and read it from there. */
export async function read(
  content: string | object,
  { environment = {}, files = {} }: Surroundings = {},
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-config-'))
  const file = join(folder, 'gateway.yaml')
  // JSON is YAML.
  const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2)
  try {
    for (const [name, bytes] of Object.entries({ ...files, 'gateway.yaml': text })) {
      await writeFile(join(folder, name), bytes)
    }
    return { folder, configuration: await loadConfiguration(file, environment) }
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return { folder, problems: error.problems.map((each) => each.replaceAll(`${folder}/`, '')) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Read one that is right. */
export async function configurationOf(
  content: string | object,
  surroundings?: Surroundings,
): Promise<Configuration> {
  const outcome = await read(content, surroundings)
  if ('problems' in outcome) throw new Error(outcome.problems.join('\n'))
  return outcome.configuration
}

/** What is wrong with one; an empty list where nothing is. */
export async function problemsOf(
  content: string | object,
  surroundings?: Surroundings,
): Promise<readonly string[]> {
  const outcome = await read(content, surroundings)
  return 'problems' in outcome ? outcome.problems : []
}
