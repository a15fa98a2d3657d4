import { serve } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { stream } from 'hono/streaming'

/** A running demo upstream. */
export type DemoUpstream = { readonly port: number; close(): Promise<void> }

const maxSlowSeconds = 30

/**
 * A small service to stand behind the gateway on a first run: it says who the gateway says is
 * calling, echoes bodies as they arrive, and answers slowly on request.
 *
 * @param address where to listen; port 0 picks a free one
 */
export function startDemoUpstream(address: {
  readonly host: string
  readonly port: number
}): Promise<DemoUpstream> {
  return new Promise((resolve, reject) => {
    const server = serve(
      { fetch: demo().fetch, hostname: address.host, port: address.port },
      ({ port }) => {
        resolve({ port, close: () => closed(server) })
      },
    )
    server.once('error', reject)
  })
}

function demo(): Hono {
  const app = new Hono()
  app.get('/demo/v1/hello', (c) =>
    c.json({ message: 'Hello from behind the gateway', ...caller(c) }),
  )
  app.post('/demo/v1/echo', (c) => {
    c.header('Content-Type', c.req.header('content-type') ?? 'application/octet-stream')
    return stream(c, async (out) => {
      if (c.req.raw.body !== null) await out.pipe(c.req.raw.body)
    })
  })
  app.get('/demo/v1/slow', async (c) => {
    const seconds = Math.min(Math.max(Number(c.req.query('seconds') ?? 1) || 0, 0), maxSlowSeconds)
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
    return c.json({ message: `Answered after ${seconds} seconds`, ...caller(c) })
  })
  app.get('/demo/v1/items/:id', (c) => c.json({ id: c.req.param('id'), ...caller(c) }))
  return app
}

function caller(c: Context): Readonly<Record<string, string | undefined>> {
  return {
    principal: c.req.header('gatehouse-principal-id'),
    organization: c.req.header('gatehouse-organization-id'),
    requestId: c.req.header('gatehouse-request-id'),
  }
}

function closed(server: ReturnType<typeof serve>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => {
      if (error === undefined) resolve()
      else reject(error)
    })
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
}
