import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { loadConfiguration } from '../../../src/config/load.ts'
import { writeConfiguration } from '../../support/configuration.ts'
import { startGateway, type TestGateway } from '../../support/gateway.ts'
import { rawClient, rawExchange, type RawResponse } from '../../support/raw-client.ts'
import { recordingUpstream, type RecordingUpstream } from '../../support/recording-upstream.ts'
import { until } from '../../support/until.ts'

/** A gateway whose one group has other instances in each test. */
export type Scene = {
  readonly gateway: () => TestGateway
  /** Serve the group by so many new instances; `upstreamOf` makes its upstream of their addresses. */
  readonly arrange: (
    count: number,
    upstreamOf: (urls: readonly string[]) => Settings,
    group?: Settings,
  ) => Promise<readonly RecordingUpstream[]>
  readonly send: (line: string, fields?: readonly string[], body?: string) => Promise<RawResponse>
  /** Send a request, and close the connection as soon as something holds. */
  readonly goAway: (when: () => boolean) => Promise<void>
  /** The value of a metric of the group; undefined where it has none. */
  readonly metric: (
    name: string,
    labels?: Readonly<Record<string, string>>,
  ) => Promise<number | undefined>
  /** Records of the log that have a member, since the instances were arranged. */
  readonly said: (member: string) => readonly Readonly<Record<string, unknown>>[]
}

/** Members of the configuration, as they are written. */
export type Settings = Readonly<Record<string, unknown>>

const paths = { '/things/{id}': { get: {}, post: {}, put: {}, delete: {} } }

export function useScene(configuration: Settings = {}): Scene {
  let gateway: TestGateway | undefined
  let folder: string
  const instances: RecordingUpstream[] = []
  let logged = 0
  const current = (): TestGateway => {
    if (gateway === undefined) throw new Error('The gateway has not started')
    return gateway
  }
  const options = (upstream: Settings, group: Settings) => ({
    groups: [{ name: 'things/v1', paths, upstreamUrl: '', upstream, ...group }],
    configuration: { limits: { classes: { standard: {} } }, ...configuration },
  })

  /** Checks of the test before go on until the next configuration serves. */
  const isOfEarlier = (value: unknown): boolean =>
    String(value).startsWith('http://') && !instances.some(({ url }) => url === value)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-resilience-'))
    gateway = await startGateway(options({ urls: ['http://127.0.0.1:9'] }, {}))
  })
  afterEach(async () => {
    await Promise.all(instances.splice(0).map((instance) => instance.close()))
  })
  afterAll(async () => {
    await gateway?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  return {
    gateway: current,
    async arrange(count, upstreamOf, group = {}) {
      const arranged = await Promise.all(Array.from({ length: count }, recordingUpstream))
      instances.push(...arranged)
      const upstream = { urls: undefined, ...upstreamOf(arranged.map(({ url }) => url)) }
      const file = await writeConfiguration(folder, options(upstream, group))
      logged = current().log.length
      await current().reload(() => loadConfiguration(file, {}))
      return arranged
    },
    send: (line, fields = [], body = '') => {
      const all = ['Host: api.test', `Authorization: ${current().key.authorization}`, ...fields]
      return rawExchange(current().port, `${line} HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n${body}`)
    },
    async goAway(when) {
      const client = await rawClient(current().port)
      const { authorization } = current().key
      client.send(`GET /things/1 HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`)
      await until(when)
      client.close()
      await until(() => current().inFlight() === 0)
    },
    async metric(name, labels = {}) {
      const answer = await fetch(`http://127.0.0.1:${current().adminPort}/metrics`)
      const all = Object.entries({ group: 'things/v1', ...labels })
      const isAsked = (line: string): boolean =>
        line.startsWith(`${name}{`) &&
        all.every(([key, value]) => line.includes(`${key}="${value}"`))
      const line = (await answer.text()).split('\n').find(isAsked)
      return line === undefined ? undefined : Number(line.split(' ').at(-1))
    },
    said: (member) =>
      current()
        .log.slice(logged)
        .filter((record) => member in record && !isOfEarlier(record[member])),
  }
}

/** Instances of one weight. */
export function alike(urls: readonly string[]): readonly Settings[] {
  return urls.map((url) => ({ url }))
}

/** How many requests each got. */
export function countsOf(instances: readonly RecordingUpstream[]): readonly number[] {
  return instances.map(({ requests }) => requests.length)
}

/** An address where nobody listens. */
export async function deadUrl(): Promise<string> {
  const upstream = await recordingUpstream()
  await upstream.close()
  return upstream.url
}
