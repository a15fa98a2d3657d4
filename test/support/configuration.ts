import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One API group of a gateway under test; other members go into its configuration as they are. */
export type TestGroup = {
  readonly name: string
  /** The `paths` of its OpenAPI document; operations need no more than `{}`. */
  readonly paths: Readonly<Record<string, unknown>>
  readonly upstreamUrl: string
  readonly upstream?: Readonly<Record<string, unknown>>
  readonly [member: string]: unknown
}

/** What a gateway under test is configured with. */
export type TestConfiguration = {
  readonly groups: readonly TestGroup[]
  /** Limits of the class `standard`, which groups belong to that name no other. */
  readonly limits?: Readonly<Record<string, unknown>>
  /** Services of the gateway itself that are served, with their own documents. */
  readonly services?: readonly ('sts' | 'oauth' | 'iam' | 'org' | 'gatehouse' | 'quota')[]
  /** Members of the configuration beside the groups. */
  readonly configuration?: Readonly<Record<string, unknown>>
}

/** Where an embedded directory is, in the folder of the configuration. */
export const embeddedFolder = 'directory'

/**
 * Write a configuration and its documents into a folder. The listeners take free ports, and the
 * directory is embedded in the folder, unless the configuration says otherwise.
 *
 * @returns the path of the configuration file
 */
export async function writeConfiguration(
  folder: string,
  { groups, limits = {}, services = [], configuration = {} }: TestConfiguration,
): Promise<string> {
  const apiGroups = await Promise.all(
    groups.map(async ({ paths, upstreamUrl, upstream = {}, ...group }) => {
      const document = `${group.name.replaceAll('/', '-')}.json`
      await writeFile(join(folder, document), JSON.stringify(documentOf(paths)))
      return {
        limitClass: 'standard',
        ...group,
        document,
        upstream: { urls: [upstreamUrl], ...upstream },
      }
    }),
  )
  const own = services.map((service) => ({
    name: service,
    document: join(import.meta.dirname, `../../config/apis/${service}.yaml`),
    service,
    errorProfile: ['sts', 'oauth'].includes(service) ? 'oauth' : 'standard',
    limitClass: 'standard',
    maxBodyBytes: 65_536,
  }))
  const file = join(folder, 'gateway.yaml')
  const whole = {
    listen: { public: { port: 0 }, admin: { port: 0 } },
    directory: { folder: embeddedFolder },
    limits: { classes: { standard: limits } },
    ...configuration,
    apiGroups: [...apiGroups, ...own],
  }
  // JSON is YAML.
  await writeFile(file, JSON.stringify(whole))
  return file
}

function documentOf(paths: Readonly<Record<string, unknown>>): unknown {
  return {
    openapi: '3.1.0',
    info: { title: 'Test', version: '1' },
    security: [{ 'cloud-api-key': [] }],
    paths,
    components: { securitySchemes: { 'cloud-api-key': { type: 'http', scheme: 'basic' } } },
  }
}
