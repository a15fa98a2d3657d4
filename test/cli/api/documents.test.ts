import { expect, test } from 'vitest'
import { objectsIn, valueOf } from '../../../src/cli/api/documents.ts'

test('objects come from documents, lists and JSON alike', () => {
  expect(objectsIn('kind: A\n---\n- kind: B\n- kind: C\n', 'f')).toEqual([
    { kind: 'A' },
    { kind: 'B' },
    { kind: 'C' },
  ])
  expect(objectsIn('{"kind":"A"}', 'f')).toEqual([{ kind: 'A' }])
  expect(objectsIn('# nothing\n', 'f')).toEqual([])
})

test.each([
  ['a: [', /^f: /],
  ['just text', /^f holds something that is no object$/],
  ['- - 1', /^f holds something that is no object$/],
])('%j is refused with the name of the file', (text, message) => {
  expect(() => objectsIn(text, 'f')).toThrow(message)
})

test('a value on the command line is JSON where it can be', () => {
  expect(['true', '1', '"1"', '["a"]', 'a b', ''].map(valueOf)).toEqual([
    true,
    1,
    '1',
    ['a'],
    'a b',
    '',
  ])
})
