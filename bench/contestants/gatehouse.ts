import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { freePort } from '../../test/support/processes.ts'
import { occurrences } from '../occurrences.ts'
import { startPinned } from '../pinned.ts'
import { pepper } from '../users.ts'
import { limitFields, wideLimits, type Contestant, type Surroundings } from './contestant.ts'

/** A gateway of this checkout or another, beside others of the same run. */
export type GatehouseOptions = {
  readonly name: string
  /** Folder of the sources that run. */
  readonly checkout?: string | undefined
  /** Options of Node beside those that `npm start` uses. */
  readonly nodeOptions?: readonly string[]
}

export const ownCheckout = resolve(import.meta.dirname, '../..')

/** The path of an operation whose limit is one request an hour. */
export const exhaustedPath = '/exhausted/bench/v1/resources-07/r-42'

/** Gatehouse in production mode: PostgreSQL and Redis, and every setting that matters at its default. */
export async function startGatehouse(
  surroundings: Surroundings,
  { name, checkout = ownCheckout, nodeOptions = [] }: GatehouseOptions,
): Promise<Contestant> {
  const [port, adminPort] = [await freePort(), await freePort()]
  const own = join(surroundings.folder, name)
  mkdirSync(own)
  writeFileSync(join(own, 'bench.json'), JSON.stringify(document()))
  const file = join(own, 'gateway.yaml')
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(configurationOf(surroundings, { name, port, adminPort })))
  const node = [process.execPath, ...startOptions(checkout), ...nodeOptions]
  const command = [...node, join(checkout, 'bin/gatehouse.js'), 'serve', '--config', file]
  const server = startPinned(surroundings.folder, name, 'contestant', command)
  const requiredFields = [...limitFields, 'x-request-id']
  return {
    name,
    port,
    server,
    requiredFields,
    takeDegraded: occurrences(server.outputFile, '"degraded":true'),
  }
}

type Place = { readonly name: string; readonly port: number; readonly adminPort: number }

function configurationOf(
  { databaseUrl, redis, upstream, tls }: Surroundings,
  { name, port, adminPort }: Place,
) {
  const group = { document: 'bench.json', upstream: { urls: [upstream.url] } }
  const secured = tls && { certificate: tls.certificate, key: tls.key }
  return {
    listen: { public: { port, tls: secured }, admin: { port: adminPort } },
    // Over TLS each connection of the bench lasts, as those of the others do.
    ...(tls === undefined ? {} : { requests: { maxRequestsPerConnection: 1_000_000_000 } }),
    directory: { url: databaseUrl, pepper: { current: pepper } },
    redis: { url: redis.url, keyPrefix: name },
    limits: {
      classes: {
        wide: wideLimits,
        exhausted: { ...wideLimits, user: { requests: 1, windowSeconds: 3_600, concurrent: 100 } },
      },
    },
    apiGroups: [
      { name: 'bench/v1', limitClass: 'wide', ...group },
      { name: 'exhausted/v1', mount: '/exhausted', limitClass: 'exhausted', ...group },
    ],
  }
}

const resources = 20

/** An API as large as real ones are: 100 operations on 20 kinds of resource. */
function document(): unknown {
  const operation = { responses: { '200': { description: 'OK' } } }
  const parameters = [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }]
  const paths = Array.from({ length: resources }, (_, index): readonly [string, unknown][] => {
    const path = `/bench/v1/resources-${String(index).padStart(2, '0')}`
    return [
      [path, { get: operation, post: operation }],
      [`${path}/{id}`, { parameters, get: operation, patch: operation, delete: operation }],
    ]
  })
  return {
    openapi: '3.1.0',
    info: { title: 'Bench', version: 'bench/v1' },
    security: [{ 'cloud-api-key': [] }],
    paths: Object.fromEntries(paths.flat()),
    components: { securitySchemes: { 'cloud-api-key': { type: 'http', scheme: 'basic' } } },
  }
}

const packageSchema = z.object({ scripts: z.object({ start: z.string() }) })

/** The options of Node that `npm start` runs the gateway with. */
function startOptions(checkout: string): readonly string[] {
  const text = readFileSync(join(checkout, 'package.json'), 'utf8')
  const { start } = packageSchema.parse(JSON.parse(text)).scripts
  return /^node (.*?)bin\/gatehouse\.js/.exec(start)?.[1]?.split(' ').filter(Boolean) ?? []
}
