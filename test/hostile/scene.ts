import { startGateway, type TestGateway } from '../support/gateway.ts'
import type { TestConfiguration } from '../support/configuration.ts'
import { rawClient } from '../support/raw-client.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

/** A whole gateway that is attacked through its socket, and what its upstream sees. */
export type Scene = {
  readonly gateway: TestGateway
  readonly upstream: RecordingUpstream
  /** The Authorization field of a caller who may do everything, with its line end. */
  readonly authorization: string
  /** Send pieces one after another, and read until the gateway closes the connection. */
  attack(...pieces: readonly string[]): Promise<string>
  close(): Promise<void>
}

/** Operations that attacks aim at; `/things/special` is closed to the key that they carry. */
const paths = {
  '/x': { get: {}, post: {}, options: {} },
  '/things/{id}': { get: {} },
  '/things/{id}/parts': { get: {} },
  '/things/special': { get: { security: [{ 'resource-api-key': [] }] } },
}

export async function openScene(
  configuration: TestConfiguration['configuration'] = {},
  group: Readonly<Record<string, unknown>> = {},
  services: NonNullable<TestConfiguration['services']> = [],
): Promise<Scene> {
  const upstream = await recordingUpstream()
  const gateway = await startGateway({
    groups: [{ name: 'attacked', paths, upstreamUrl: upstream.url, ...group }],
    services,
    configuration: {
      publicOrigin: 'https://api.test',
      limits: {
        unauthenticated: { requests: 100_000, windowSeconds: 3_600 },
        classes: { standard: {} },
      },
      ...configuration,
    },
  })
  return {
    gateway,
    upstream,
    authorization: `Authorization: ${gateway.key.authorization}\r\n`,
    attack: (...pieces) => attack(gateway.port, pieces),
    async close() {
      await gateway.stop()
      await upstream.close()
    },
  }
}

async function attack(port: number, pieces: readonly string[]): Promise<string> {
  const client = await rawClient(port)
  try {
    for (const piece of pieces) {
      client.send(Buffer.from(piece, 'latin1'))
      await new Promise(setImmediate)
    }
    return await client.ended()
  } finally {
    client.close()
  }
}

/** Every status of what stood on a connection, in order. */
export function statusesIn(text: string): readonly number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}
