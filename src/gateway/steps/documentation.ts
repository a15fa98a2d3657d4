import type { MiddlewareHandler } from 'hono'
import { errorIndexPage, errorPage } from '../../errors/page.ts'
import { send } from '../answer.ts'
import { alreadySent, type GatewayEnv } from '../exchange.ts'

const root = '/docs/errors'

/** Serve the pages that `doc_url` names, on every host and without credentials. */
export function documentationStep(): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    const { head, incoming, outgoing, requestId } = c.env
    const { path } = head.target
    if (!path.startsWith(root) || (head.method !== 'GET' && head.method !== 'HEAD')) return next()
    const page = path === root ? errorIndexPage() : errorPage(path.slice(root.length + 1))
    if (page === undefined) return next()
    const fields = ['Content-Type', 'text/html; charset=utf-8', 'Cache-Control', 'max-age=3600']
    fields.push('X-Content-Type-Options', 'nosniff', 'Content-Security-Policy', pagePolicy)
    fields.push('X-Request-Id', requestId)
    send(incoming, outgoing, head.body, { status: 200, fields, body: page })
    c.set('verdict', 'documentation')
    return alreadySent
  }
}

const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
