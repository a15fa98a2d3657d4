import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp, type AppLog } from '../../src/app.ts'
import { loadConfiguration } from '../../src/config/load.ts'
import type { Directory } from '../../src/directory/directory.ts'

/** One API group of a gateway under test; other members go into its configuration as they are. */
export type TestGroup = {
  readonly name: string
  /** The `paths` of its OpenAPI document; operations need no more than `{}`. */
  readonly paths: Readonly<Record<string, unknown>>
  readonly upstreamUrl: string
  readonly upstream?: Readonly<Record<string, unknown>>
  readonly [member: string]: unknown
}

export type TestGatewayOptions = {
  readonly groups: readonly TestGroup[]
  readonly limits?: Readonly<Record<string, unknown>>
  /** Members of the configuration beside the groups. */
  readonly configuration?: Readonly<Record<string, unknown>>
}

/** A whole gateway in this process, on free ports, with a directory of its own. */
export type TestGateway = {
  readonly port: number
  readonly adminPort: number
  readonly organizationId: string
  readonly userId: string
  readonly key: { readonly id: string; readonly secret: string; readonly authorization: string }
  readonly directory: Directory
  /** Every record of the log so far. */
  readonly log: readonly Readonly<Record<string, unknown>>[]
  readonly inFlight: () => number
  stop(): Promise<void>
}

export async function startGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'))
  const file = await writeConfiguration(folder, options)
  const log: Record<string, unknown>[] = []
  const app = await createApp(await loadConfiguration(file, {}), recordingLog(log))
  const addresses = await app.listen()
  const first = await app.directory.bootstrap(
    { organizationName: 'Test', userEmail: 'test@example.com' },
    { id: 'test' },
  )
  if (first === undefined) throw new Error('The directory is not empty')
  const { id, secret } = first.apiKey
  return {
    port: addresses.public.port,
    adminPort: addresses.admin.port,
    organizationId: first.organizationId,
    userId: first.userId,
    key: { id, secret, authorization: basic(id, secret) },
    directory: app.directory,
    log,
    inFlight: app.inFlight,
    async stop() {
      await app.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** An Authorization value (RFC 7617). */
function basic(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
}

async function writeConfiguration(
  folder: string,
  { groups, limits = {}, configuration = {} }: TestGatewayOptions,
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
  const file = join(folder, 'gateway.yaml')
  const whole = {
    listen: { public: { port: 0 }, admin: { port: 0 } },
    directory: { folder: 'directory' },
    limits: { classes: { standard: limits } },
    ...configuration,
    apiGroups,
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

function recordingLog(log: Record<string, unknown>[]): AppLog {
  const write = (record: object): void => {
    log.push({ ...record })
  }
  return { info: write, warn: write, error: write, access: write }
}
