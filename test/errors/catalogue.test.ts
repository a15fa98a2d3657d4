import { expect, test } from 'vitest'
import { catalogue, type CatalogueEntry } from '../../src/errors/catalogue.ts'
import { errorIndexPage, errorPage, errorPagePath } from '../../src/errors/page.ts'
import { codeOfStatus } from '../../src/errors/status-code.ts'

const entries = Object.entries<CatalogueEntry>(catalogue)

test.each(entries)('%s is written as the reference asks', (code, entry) => {
  expect(code).toMatch(/^[A-Z]+(?:_[A-Z]+)*$/)
  expect(entry.message).toMatch(/^[A-Z].*[^.!?]$/)
  expect(entry.suggestion).toMatch(/^[A-Z].*\.$/)
  expect(entry.status).toBeGreaterThanOrEqual(400)
  expect(entry.status).toBeLessThan(600)
})

test('every code has a page of its own, and the index links to each', () => {
  const index = errorIndexPage()
  for (const [code, entry] of entries) {
    expect(errorPage(code)).toContain(entry.message)
    expect(index).toContain(`href="${errorPagePath(code as keyof typeof catalogue)}"`)
  }
})

test.each(entries)(
  'the page of %s tells its status, message, suggestion and whether a retry helps',
  (code, entry) => {
    const text = textOf(errorPage(code) ?? '')
    expect(text).toContain(code)
    expect(text).toContain(`HTTP status ${entry.status} `)
    expect(text).toContain(`"code": "${code}"`)
    expect(text).toContain(`${entry.message}.`)
    expect(text).toContain(`What to do ${entry.suggestion}`)
    expect(text).toContain(`Does a retry help? ${entry.retryable ? 'Yes' : 'No'}`)
  },
)

test('the index tells every code once, with its status and message, by status', () => {
  const rows = [...errorIndexPage().matchAll(/<tr>(<td>.*?)<\/tr>/g)].map(([, row]) =>
    textOf(row ?? ''),
  )
  const told = entries.map(([code, { status, message }]) => `${status} ${code} ${message}`)
  expect(rows.toSorted()).toEqual(told.toSorted())
  expect(rows).toEqual(rows.toSorted())
})

test('a code says with its status whether a retry helps: what the caller sent stays wrong', () => {
  const retryable = entries.filter(([, entry]) => entry.retryable).map(([, { status }]) => status)
  expect(retryable.filter((status) => status < 500 && status !== 408 && status !== 429)).toEqual([])
})

/** What a reader sees: tags are spaces, entities are characters. */
function textOf(html: string): string {
  return html
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll(/\s+/g, ' ')
    .trim()
}

test('pages hold no script and no link that leaves the origin', () => {
  for (const page of [errorIndexPage(), ...entries.map(([code]) => errorPage(code) ?? '')]) {
    expect(page).not.toMatch(/<script|https?:\/\//)
  }
})

test.each(['NOPE', '__proto__', 'constructor', 'toString', '', '<script>'])(
  'there is no page for %s',
  (code) => {
    expect(errorPage(code)).toBeUndefined()
  },
)

test('every error status of an upstream has a code, with that status where the catalogue has it', () => {
  for (let status = 400; status < 600; status += 1) {
    const code = codeOfStatus(status)
    const family = code === 'UPSTREAM_FAILED' ? 500 : code === 'REQUEST_REFUSED' ? 400 : status
    expect([status, catalogue[code].status]).toEqual([status, family])
  }
})
