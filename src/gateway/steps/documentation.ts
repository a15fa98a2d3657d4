import { errorIndexPage, errorPage } from '../../errors/page.ts'
import { send } from '../answer.ts'
import { alreadySent } from '../exchange.ts'
import type { Step } from '../in-order.ts'

const root = '/docs/errors'

/** Serve the pages that `doc_url` names, on every host and without credentials. */
export function documentationStep(): Step {
  return (c) => {
    const { head, incoming, outgoing, requestId } = c.env
    const { path } = head.target
    if (!path.startsWith(root) || (head.method !== 'GET' && head.method !== 'HEAD')) {
      return undefined
    }
    const page = pageAt(path)
    if (page === undefined) return undefined
    const fields = ['Content-Type', 'text/html; charset=utf-8', 'Cache-Control', 'max-age=3600']
    fields.push('X-Content-Type-Options', 'nosniff', 'Content-Security-Policy', pagePolicy)
    fields.push('X-Request-Id', requestId)
    send(incoming, outgoing, head.body, { status: 200, fields, body: page })
    c.env.notes.verdict = 'documentation'
    return alreadySent
  }
}

function pageAt(path: string): string | undefined {
  if (path === root) return errorIndexPage()
  return path.startsWith(`${root}/`) ? errorPage(path.slice(root.length + 1)) : undefined
}

const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
