import { existsSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { operations } from '../support/api-documents.ts'

/*
 * Every operation of the gateway's own resources has a test file of its own, and every status that
 * its document declares is in there, or in what the tests of every operation go through.
 */

const folder = resolve(import.meta.dirname, '../http')

/** Answers that are the same whatever the operation: these files ask for them of each. */
const ofEveryOperation: Readonly<Record<string, string>> = {
  '401': 'refusals.test.ts',
  '403': 'refusals.test.ts',
  '413': 'refusals.test.ts',
  '415': 'refusals.test.ts',
  '429': 'exhausted.test.ts',
}

/** Where a group's resources are tested without the directory. */
const withoutDirectory: Readonly<Record<string, string>> = {
  'gatehouse-v1': 'gatehouse-v1/every-operation.test.ts',
  'iam-v2': 'outage.test.ts',
  'org-v2': 'outage.test.ts',
  'service-quota-v1': 'service-quota-v1/outage.test.ts',
}

const named = [...operations.values()].map(({ operationId, responses }) => {
  const [, verb = '', api = '', objects = ''] =
    /^([a-z]+(?:[A-Z][a-z]+)*?)((?:[A-Z][a-z]+)+V\d+)(\w+)$/.exec(operationId) ?? []
  const group = kebab(api)
  const file = `${group}/${kebab(verb)}-${kebab(objects)}.test.ts`
  const statuses = Object.keys(responses).filter((status) => status !== 'default')
  return { operationId, group, file, statuses }
})

test('there are operations, and no two have the same test file', () => {
  expect(named.length).toBeGreaterThan(50)
  expect(new Set(named.map(({ file }) => file)).size).toBe(named.length)
})

describe.each(named)('$operationId', ({ operationId, group, file, statuses }) => {
  test(`has test/http/${file}, which names it`, () => {
    const path = resolve(folder, file)
    expect(existsSync(path)).toBe(true)
    const [all, one] = [/^[a-z]+/.exec(operationId)?.[0] ?? '', operationId]
    // The tests that several collections share make the name of a verb and of what it is done to.
    const text = textOf(path)
    expect(text.includes(one) || text.includes(`\`${all}\${`), one).toBe(true)
  })

  test.each(statuses)('%s that it declares has a test', (status) => {
    const path = resolve(folder, commonTest(status, group, statuses) ?? file)
    expect(textOf(path), relative(folder, path)).toMatch(new RegExp(`\\b${status}\\b`))
  })
})

function commonTest(
  status: string,
  group: string,
  statuses: readonly string[],
): string | undefined {
  if (status === '503') return withoutDirectory[group]
  // What takes a body has to read it first.
  if (status === '400' && statuses.includes('415')) return ofEveryOperation['415']
  return ofEveryOperation[status]
}

/** The text of a test file with that of the shared tests that it runs. */
function textOf(path: string, seen = new Set<string>()): string {
  if (seen.has(path)) return ''
  seen.add(path)
  const text = readFileSync(path, 'utf8')
  const shared = [...text.matchAll(/from '(\.{1,2}\/[^']+)'/g)]
    .map(([, name = '']) => resolve(dirname(path), name))
    .filter((file) => file.startsWith(resolve(folder, 'support')))
  return [text, ...shared.map((file) => textOf(file, seen))].join('\n')
}

function kebab(name: string): string {
  return name.replaceAll(/(?<!^)([A-Z])/g, '-$1').toLowerCase()
}
