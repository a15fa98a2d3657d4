import { createHash } from 'node:crypto'
import { isVisible, keyOf, type Audience, type DocumentedOperation } from './audience.ts'
import { describe, mergedDocument } from './merged-document.ts'
import { groupPage, groupPath, indexPage } from './reference-pages.ts'
import { referencePath } from './reserved-paths.ts'
import { stylesheet } from './style.ts'

/** Something that callers read, rendered. */
export type Rendered = {
  readonly contentType: string
  readonly body: Buffer
  /** Strong: the same for the same bytes (RFC 9110 §8.8.3). */
  readonly etag: string
}

/** What is served under a path to a reader; undefined where nothing is. */
export type ReadDocumentation = (path: string, audience: Audience) => Rendered | undefined

/** What is compiled now; another object after each reload. */
type Compiled = { readonly operations: readonly DocumentedOperation[] }

/** Renderings that are kept: the newest, up to so many bytes. */
const maxKeptBytes = 33_554_432

/**
 * Prepare what callers read of the operations that are served: the merged document, and pages. Each
 * is rendered when it is first asked for and kept for all readers who are shown the same, until the
 * configuration is another.
 */
export function createDocumentation(
  compiled: () => Compiled,
  publicOrigin: string,
): ReadDocumentation {
  let of: Compiled | undefined
  let keptBytes = 0
  const kept = new Map<string, Rendered>()
  return (path, audience) => {
    if (path === '/docs/style.css') return style
    const now = compiled()
    if (now !== of) forget(now)
    const key = `${keyOf(now.operations, audience)} ${path}`
    const known = kept.get(key)
    if (known !== undefined) return known
    const rendered = render(path, now.operations, audience, publicOrigin)
    if (rendered !== undefined) keep(key, rendered)
    return rendered
  }

  function forget(now: Compiled): void {
    of = now
    kept.clear()
    keptBytes = 0
  }

  function keep(key: string, rendered: Rendered): void {
    kept.set(key, rendered)
    keptBytes += rendered.body.length
    for (const [oldest, { body }] of kept) {
      if (keptBytes <= maxKeptBytes || oldest === key) return
      kept.delete(oldest)
      keptBytes -= body.length
    }
  }
}

function render(
  path: string,
  operations: readonly DocumentedOperation[],
  audience: Audience,
  publicOrigin: string,
): Rendered | undefined {
  const shown = operations.filter((operation) => isVisible(operation, audience))
  if (path === '/openapi.json') {
    const document = mergedDocument(describe(shown, publicOrigin), publicOrigin)
    return rendering('application/json', JSON.stringify(document))
  }
  if (path === referencePath) return rendering(htmlType, indexPage(shown))
  const ofGroup = shown.filter(({ group }) => groupPath(group.name) === path)
  const name = ofGroup[0]?.group.name
  if (name === undefined) return undefined
  return rendering(htmlType, groupPage(name, describe(ofGroup, publicOrigin)))
}

const htmlType = 'text/html; charset=utf-8'
const style = rendering('text/css; charset=utf-8', stylesheet)

function rendering(contentType: string, text: string): Rendered {
  const body = Buffer.from(text)
  const digest = createHash('sha256').update(body).digest('base64url')
  return { contentType, body, etag: `"${digest}"` }
}
