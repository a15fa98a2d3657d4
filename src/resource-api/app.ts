import { Hono } from 'hono'
import type { Service } from '../gateway/service.ts'
import type { ApiEnv } from './serve-collection.ts'

/**
 * Make a service of our own APIs. Whatever is thrown is answered by the gateway, as any error is.
 *
 * @param serve adds the routes
 */
export function createApi(serve: (app: Hono<ApiEnv>) => void): Service {
  const app = new Hono<ApiEnv>()
  app.use(async (c, next) => {
    await next()
    // Secrets that are shown once, and whatever else an organization has, are for nobody's cache.
    c.header('Cache-Control', 'no-store')
  })
  serve(app)
  app.onError((error) => {
    throw error
  })
  return (request, caller) => app.fetch(request, caller)
}
