import { createHash } from 'node:crypto'
import { isVisible, keyOf, type Audience, type DocumentedOperation } from './audience.ts'
import { inTurns } from './in-turns.ts'
import { describing, mergedDocument } from './merged-document.ts'
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
export type ReadDocumentation = (path: string, audience: Audience) => Promise<Rendered | undefined>

/** What is compiled now; another object after each reload. */
type Compiled = { readonly operations: readonly DocumentedOperation[] }

/** Renderings that are kept: the newest, up to so many bytes. */
const maxKeptBytes = 33_554_432

/**
 * Prepare what callers read of the operations that are served: the merged document, and pages. Each
 * is rendered when it is first asked for, in between other requests, and kept for all readers who are
 * shown the same, until the configuration is another.
 */
export function createDocumentation(
  compiled: () => Compiled,
  publicOrigin: string,
): ReadDocumentation {
  let of: Compiled | undefined
  let keptBytes = 0
  // Those that are being rendered are among them, so that whoever asks meanwhile waits for the same.
  const kept = new Map<
    string,
    { readonly rendered: Promise<Rendered | undefined>; bytes: number }
  >()
  return (path, audience) => {
    if (path === '/docs/style.css') return Promise.resolve(style)
    const now = compiled()
    if (now !== of) forget(now)
    const key = `${keyOf(now.operations, audience)} ${path}`
    const known = kept.get(key)
    if (known !== undefined) return known.rendered
    const rendered = render(path, now.operations, audience, publicOrigin)
    const entry = { rendered, bytes: 0 }
    kept.set(key, entry)
    return rendered.then(
      (value) => {
        if (kept.get(key) !== entry) return value
        if (value === undefined) kept.delete(key)
        else {
          entry.bytes = value.body.length
          bound(key, value.body.length)
        }
        return value
      },
      (error: unknown) => {
        if (kept.get(key) === entry) kept.delete(key)
        throw error
      },
    )
  }

  function forget(now: Compiled): void {
    of = now
    kept.clear()
    keptBytes = 0
  }

  function bound(newest: string, bytes: number): void {
    keptBytes += bytes
    for (const [oldest, entry] of kept) {
      if (keptBytes <= maxKeptBytes || oldest === newest) return
      kept.delete(oldest)
      keptBytes -= entry.bytes
    }
  }
}

async function render(
  path: string,
  operations: readonly DocumentedOperation[],
  audience: Audience,
  publicOrigin: string,
): Promise<Rendered | undefined> {
  const shown = operations.filter((operation) => isVisible(operation, audience))
  if (path === '/openapi.json') {
    const described = await inTurns(describing(shown, publicOrigin))
    return rendering('application/json', JSON.stringify(mergedDocument(described, publicOrigin)))
  }
  if (path === referencePath) return rendering(htmlType, indexPage(shown))
  const ofGroup = shown.filter(({ group }) => groupPath(group.name) === path)
  const name = ofGroup[0]?.group.name
  if (name === undefined) return undefined
  const described = await inTurns(describing(ofGroup, publicOrigin))
  return rendering(htmlType, groupPage(name, described))
}

const htmlType = 'text/html; charset=utf-8'
const style = rendering('text/css; charset=utf-8', stylesheet)

function rendering(contentType: string, text: string): Rendered {
  const body = Buffer.from(text)
  const digest = createHash('sha256').update(body).digest('base64url')
  return { contentType, body, etag: `"${digest}"` }
}
