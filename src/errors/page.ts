import { catalogue, type CatalogueEntry, type ErrorCode } from './catalogue.ts'
import { GatewayError } from './gateway-error.ts'
import { renderError } from './profile.ts'

/** Path under which the page of a code is served: the target of every `doc_url`. */
export function errorPagePath(code: ErrorCode): string {
  return `/docs/errors/${code}`
}

/**
 * The documentation page of one code, as a complete HTML document without scripts or outside links.
 *
 * @param code what stands in the path; any string
 * @returns undefined where the catalogue has no such code
 */
export function errorPage(code: string): string | undefined {
  if (!Object.hasOwn(catalogue, code)) return undefined
  const entry: CatalogueEntry = catalogue[code as ErrorCode]
  return page(
    code,
    `<h1><code>${code}</code></h1>
<p>${escapeHtml(entry.message)}.</p>
<dl>
<dt>HTTP status</dt><dd>${entry.status}</dd>
<dt>What to do</dt><dd>${escapeHtml(entry.suggestion)}</dd>
<dt>Does a retry help?</dt><dd>${retryAdvice(entry)}</dd>
</dl>
<h2>Example</h2>
<pre>HTTP/1.1 ${entry.status}
Content-Type: application/json
X-Request-Id: ${exampleRequestId}

${escapeHtml(exampleOf(code as ErrorCode))}</pre>
<p>APIs that follow another convention for errors say the same in its shape.</p>
<p><a href="/docs/errors">All error codes</a></p>`,
  )
}

const exampleRequestId = '5f0d3c9a1b7e4c2d8a6f90e1b2c3d4e5'

/** An answer with the code, as the standard profile has it. */
function exampleOf(code: ErrorCode): string {
  const rendered = renderError('standard', {
    error: new GatewayError(code),
    requestId: exampleRequestId,
    path: '/orders/v1/orders',
    timestamp: '2026-01-01T00:00:00.000Z',
    docUrl: `…${errorPagePath(code)}`,
  })
  return JSON.stringify(JSON.parse(rendered), undefined, 2)
}

/** The page that lists every code. */
export function errorIndexPage(): string {
  const rows = Object.entries<CatalogueEntry>(catalogue)
    .toSorted(([a, first], [b, second]) => first.status - second.status || (a < b ? -1 : 1))
    .map(
      ([code, entry]) =>
        `<tr><td>${entry.status}</td><td><a href="/docs/errors/${code}"><code>${code}</code></a></td><td>${escapeHtml(entry.message)}</td></tr>`,
    )
  return page(
    'Error codes',
    `<h1>Error codes</h1>
<table><thead><tr><th>Status</th><th>Code</th><th>Meaning</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table>`,
  )
}

function retryAdvice(entry: CatalogueEntry): string {
  if (!entry.retryable) return 'No: change the request first.'
  return 'Yes: with capped exponential backoff and jitter, and not before <code>Retry-After</code> where it is sent.'
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}pre{white-space:pre-wrap}td,th{text-align:left;padding:.2rem .8rem .2rem 0}dt{font-weight:600}</style>
</head>
<body>
${body}
</body>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
