import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority } from './certificates.ts'
import type { TestConfiguration } from './configuration.ts'
import { startGateway, type TestGateway } from './gateway.ts'
import { recordingUpstream, type RecordingUpstream } from './recording-upstream.ts'

/** A whole gateway that speaks TLS on every address, so that plain HTTP would be refused. */
export type TlsGateway = {
  readonly gateway: TestGateway
  readonly upstream: RecordingUpstream
  /** Who signed its certificate, in PEM. */
  readonly ca: string
  close(): Promise<void>
}

export async function startTlsGateway(
  paths: Readonly<Record<string, unknown>>,
  {
    tls: more = {},
    open: ofListener = {},
    ...configuration
  }: NonNullable<TestConfiguration['configuration']> = {},
  group: Readonly<Record<string, unknown>> = {},
): Promise<TlsGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-tls-'))
  const authority = await createAuthority(folder)
  const upstream = await recordingUpstream()
  const tls = await authority.sign('gateway')
  const open = {
    host: '0.0.0.0',
    port: 0,
    tls: { ...tls, ...(more as object) },
    ...(ofListener as object),
  }
  const gateway = await startGateway({
    groups: [{ name: 'any/v1', paths, upstreamUrl: upstream.url, ...group }],
    configuration: {
      listen: { public: open, admin: { port: 0 } },
      publicOrigin: 'https://localhost',
      ...configuration,
    },
  })
  return {
    gateway,
    upstream,
    ca: await readFile(authority.certificate, 'utf8'),
    async close() {
      await gateway.stop()
      await upstream.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
