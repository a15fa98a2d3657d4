import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { startGatewayProcess, type GatewayProcess } from '../../test/support/gateway-process.ts'
import { ended, freePort, startServer } from '../../test/support/processes.ts'
import { provide } from '../../test/support/provide-servers.ts'
import { until } from '../../test/support/until.ts'
import { haproxyProgram } from '../contestants/haproxy.ts'
import { openHouse, type House } from './house.ts'
import { orderPaths, startOrdersUpstream, type OrdersUpstream } from './orders-upstream.ts'

/** Gateways at fixed ports behind an HAProxy that asks each of them whether it is ready. */
export type Replicas = AsyncDisposable & {
  readonly house: House
  /** Behind the mount `/shop`. */
  readonly shop: OrdersUpstream
  /** Where HAProxy answers. Its answers name the gateway in `X-Gateway`. */
  readonly url: string
  readonly gateways: readonly Replica[]
}

export type Replica = {
  /** What HAProxy calls it. */
  readonly name: string
  readonly url: string
  /** The newest process at its ports. */
  readonly process: () => GatewayProcess
  /** Start a process at its ports, where none is. */
  start(): Promise<void>
}

const shopName = 'shop'

/** Time that HAProxy, which asks every `checkMs`, has to see that a gateway goes. */
const graceMs = 1_000
const checkMs = 200

/** @param takesMs how long the shop takes for an order */
export async function openReplicas(count: number, takesMs: number): Promise<Replicas> {
  provideHaproxy()
  await using ends = new AsyncDisposableStack()
  const shop = ends.adopt(await startOrdersUpstream(takesMs), (upstream) => upstream.close())
  const house = ends.use(
    await openHouse({
      gateways: 0,
      classes: { wide: {} },
      limits: { replicas: count },
      groups: () => [
        {
          name: shopName,
          mount: '/shop',
          limitClass: 'wide',
          paths: orderPaths,
          upstreamUrl: shop.url,
        },
      ],
      configuration: { shutdown: { readinessGraceMs: graceMs } },
    }),
  )
  const names = Array.from({ length: count }, (_, index) => `gateway-${index + 1}`)
  const places: Place[] = []
  for (const name of names)
    places.push({ name, port: await freePort(), adminPort: await freePort() })
  const gateways = await Promise.all(
    places.map((place) => startReplica(house.fleet.configurationFile, place)),
  )
  ends.defer(async () => {
    await Promise.all(gateways.map((gateway) => gateway.process().kill()))
  })
  const url = await startHaproxy(dirname(house.fleet.configurationFile), places, ends)
  const open = ends.move()
  return { house, shop, url, gateways, [Symbol.asyncDispose]: () => open.disposeAsync() }
}

type Place = { readonly name: string; readonly port: number; readonly adminPort: number }

function provideHaproxy(): void {
  const wanted = { name: 'HAProxy', debianPackage: 'haproxy', find: haproxyProgram }
  if (provide([wanted], 'this proof').length === 0) return
  throw new Error('HAProxy is missing; on Debian: apt-get install haproxy')
}

const configurationSchema = z.looseObject({
  listen: z.unknown(),
  apiGroups: z.array(
    z.looseObject({
      name: z.string(),
      upstream: z.looseObject({ urls: z.array(z.string()) }),
    }),
  ),
})

async function startReplica(sharedFile: string, place: Place): Promise<Replica> {
  const { name, port, adminPort } = place
  const shared = configurationSchema.parse(JSON.parse(await readFile(sharedFile, 'utf8')))
  // Beside the shared one, since documents are named relative to it.
  const file = join(dirname(sharedFile), `${name}.yaml`)
  const listen = { public: { port }, admin: { port: adminPort } }
  // The shop sees through whom an order came.
  const apiGroups = shared.apiGroups.map((group) => {
    if (group.name !== shopName) return group
    const urls = group.upstream.urls.map((shopUrl) => `${shopUrl}/${name}`)
    return { ...group, upstream: { ...group.upstream, urls } }
  })
  writeFileSync(file, JSON.stringify({ ...shared, listen, apiGroups }))
  let current = await startGatewayProcess(file)
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    process: () => current,
    async start() {
      current = await startGatewayProcess(file)
    },
  }
}

async function startHaproxy(
  folder: string,
  places: readonly Place[],
  ends: AsyncDisposableStack,
): Promise<string> {
  const port = await freePort()
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(file, configurationOf(port, places))
  const child = startServer(haproxyProgram() ?? 'haproxy', ['-db', '-f', file])
  ends.defer(async () => {
    child.kill('SIGKILL')
    await ended(child)
  })
  const url = `http://127.0.0.1:${port}`
  await until(() => answers(url))
  return url
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ status }) => status !== 503,
    // HAProxy does not listen yet; with no gateway ready it answers 503.
    () => false,
  )
}

/**
 * A check may take two seconds: by default no more than its interval, and a busy machine would seem down.
 * Nothing is sent twice but what found no connection: a POST that was sent may have arrived.
 */
function configurationOf(port: number, places: readonly Place[]): string {
  const servers = places.map(
    (place) =>
      `  server ${place.name} 127.0.0.1:${place.port} check port ${place.adminPort} inter ${checkMs} fall 1 rise 1`,
  )
  return `
global
  nbthread 1
  maxconn 4096

defaults
  mode http
  retries 3
  retry-on conn-failure
  option redispatch 1
  timeout connect 1s
  timeout check 2s
  timeout client 60s
  timeout server 60s

frontend public
  bind 127.0.0.1:${port}
  http-after-response set-header X-Gateway %s
  default_backend gateways

backend gateways
  balance roundrobin
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost
${servers.join('\n')}
`
}
