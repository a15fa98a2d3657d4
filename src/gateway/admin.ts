import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { listenOn } from './server.ts'

/** What a part of the gateway says of itself; 'degraded' answers still, by other means. */
export type PartHealth = { readonly state: 'up' | 'degraded' | 'down' }

/** Whether requests are taken, and by what. */
export type Readiness = {
  /** Whether new requests are taken; false once the process drains. */
  readonly isAccepting: boolean
  readonly inFlight: number
  readonly parts: Readonly<Record<string, PartHealth>>
}

/** What the admin listener shows. */
export type AdminParts = {
  readonly readiness: () => Readiness | Promise<Readiness>
  readonly metrics: { readonly text: () => Promise<string>; readonly contentType: string }
}

/**
 * The admin listener: liveness, readiness and metrics. It is on an address of its own, so that no public
 * request reaches it.
 *
 * Ready means that requests can be answered: a part that is down but stood in for does not change
 * that, so a Redis or database outage never takes every replica out of rotation at once.
 */
export function createAdmin(parts: AdminParts): Hono {
  const admin = new Hono()
  admin.use(async (c, next) => {
    await next()
    c.header('Cache-Control', 'no-store')
  })
  admin.get('/livez', (c) => c.json({ status: 'live' }))
  admin.get('/readyz', async (c) => {
    const { isAccepting, ...rest } = await parts.readiness()
    return c.json({ status: isAccepting ? 'ready' : 'draining', ...rest }, isAccepting ? 200 : 503)
  })
  admin.get('/metrics', async (c) => {
    const { text, contentType } = parts.metrics
    return c.body(await text(), 200, { 'Content-Type': contentType })
  })
  admin.notFound((c) => c.json({ status: 'not found' }, 404))
  return admin
}

/** The admin listener, not yet listening. */
export function adminServer(admin: Hono): {
  listen(address: { readonly host: string; readonly port: number }): Promise<AddressInfo>
  close(): Promise<void>
} {
  const listener = getRequestListener(admin.fetch, {
    overrideGlobalObjects: false,
    // Health checks of balancers speak HTTP/1.0, and name no host.
    hostname: 'localhost',
  })
  const server = createServer((incoming, outgoing) => {
    void listener(incoming, outgoing)
  })
  return {
    listen: ({ host, port }) => listenOn(server, host, port),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}
