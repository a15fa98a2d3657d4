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
