import { expect, test } from 'vitest'
import { compileGroups, problemsOf } from './compile-groups.ts'

function documentWith(schema: unknown): string {
  const requestBody = { content: { 'application/json': { schema } } }
  return JSON.stringify({ openapi: '3.1.0', paths: { '/a': { post: { requestBody } } } }, null, 2)
}

test.each([
  [{ type: 'what' }, 'it is no type'],
  [{ properties: { a: { minLength: -1 } } }, 'it is no number that can stand there'],
  [{ pattern: '(' }, 'it is no pattern'],
  [{ items: { $ref: '#/nowhere' } }, 'its reference leads nowhere'],
  [{ anyOf: [3] }, 'it is no schema'],
  [{ enum: 'a' }, 'it is no list'],
])('%j is told with its place, where requests are validated', async (schema, reason) => {
  const [problem = '', ...others] = await problemsOf({
    document: documentWith(schema),
    validateRequests: true,
  })
  expect(others).toEqual([])
  expect(problem).toMatch(/document-0\.json:\d+ #\/paths\/~1a\/post\/requestBody\/content/)
  expect(problem).toContain(reason)
  expect(await problemsOf({ document: documentWith(schema) })).toEqual([])
})

test('a pattern whose time cannot be bounded is told, and not checked', async () => {
  const document = documentWith({ type: 'string', pattern: '^(?=a)' })
  expect(
    await problemsOf({ document: documentWith({ pattern: '[\\<]' }), validateRequests: true }),
  ).toEqual([])
  const { catalog, warnings } = await compileGroups({ document, validateRequests: true })
  expect(warnings.join()).toMatch(/document-0\.json:\d+ .*the pattern is not checked/)
  const kind = catalog.operations[0]?.validation?.body?.kindOf('application/json; charset=utf-8')
  expect(typeof kind === 'function' && kind('b')).toEqual([])
  expect(typeof kind === 'function' && kind(1)).toEqual([
    { pointer: '', message: 'must be string' },
  ])
})
