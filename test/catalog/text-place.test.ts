import { expect, test } from 'vitest'
import { createFindPlace } from '../../src/catalog/text-place.ts'

const text = `paths:
  /a:
    get: &get
      parameters:
        - name: q
          in: query
    put: { <<: *get, x-more: true }
`
const find = createFindPlace(text)

test('a member stands where its name does, its value behind it', () => {
  expect(find('/paths/~1a', 'name')).toEqual({ line: 2, column: 3 })
  expect(find('/paths/~1a', 'value')).toEqual({ line: 3, column: 5 })
})

test('an item of a list stands where it begins', () => {
  expect(find('/paths/~1a/get/parameters/0', 'name')).toEqual({ line: 5, column: 11 })
})

test('what came by a merge key stands where the node around it does', () => {
  expect(find('/paths/~1a/put/parameters', 'name')).toEqual({ line: 7, column: 5 })
  expect(find('/paths/~1a/put/x-more', 'name')).toEqual({ line: 7, column: 22 })
})

test('everything stands somewhere, whatever the text', () => {
  expect(createFindPlace('')('/a', 'value')).toEqual({ line: 1, column: 1 })
  expect(find('', 'name')).toEqual({ line: 1, column: 1 })
  expect(createFindPlace('{"a": [1,')('/a/0', 'value')).toMatchObject({ line: 1 })
})
