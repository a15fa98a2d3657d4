import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp, type App, type AppLog } from '../../src/app.ts'
import { loadConfiguration } from '../../src/config/load.ts'
import type { Directory } from '../../src/directory/directory.ts'
import { basic } from './basic.ts'
import { embeddedFolder, writeConfiguration, type TestConfiguration } from './configuration.ts'
import { copyEmptyDirectory } from './empty-directory.ts'

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
  readonly reload: App['reload']
  stop(): Promise<void>
}

export async function startGateway(options: TestConfiguration): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'))
  const file = await writeConfiguration(folder, options)
  if (options.configuration?.['directory'] === undefined)
    await copyEmptyDirectory(join(folder, embeddedFolder))
  const log: Record<string, unknown>[] = []
  const configuration = await loadConfiguration(file, {})
  // Elsewhere it is known before a gateway starts who operates it. Here the organization is yet to
  // be made, and starting twice would take twice as long.
  const operators: string[] = []
  const app = await createApp({ ...configuration, operators }, recordingLog(log))
  const addresses = await app.listen()
  const first = await app.directory.bootstrap(
    { organizationName: 'Test', userEmail: 'test@example.com' },
    { id: 'test' },
  )
  if (first === undefined) throw new Error('The directory is not empty')
  operators.push(first.organizationId)
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
    reload: app.reload,
    async stop() {
      await app.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function recordingLog(log: Record<string, unknown>[]): AppLog {
  const write = (record: object): void => {
    log.push({ ...record })
  }
  return { info: write, warn: write, error: write, access: write }
}
