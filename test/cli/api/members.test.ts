import { expect, test } from 'vitest'
import { differences, memberAt, shown, withMember } from '../../../src/cli/api/members.ts'

test('a member is found by its dotted path, and never a prototype', () => {
  const object = { spec: { owner: { id: 'u-1' } } }
  expect(memberAt(object, 'spec.owner.id')).toBe('u-1')
  expect(memberAt(object, 'spec.other.id')).toBeUndefined()
  expect(memberAt(object, 'constructor.name')).toBeUndefined()
})

test('setting a member makes what is around it and leaves the rest', () => {
  expect(withMember({ a: 1, spec: { b: 2 } }, 'spec.owner.id', 'u-1')).toEqual({
    a: 1,
    spec: { b: 2, owner: { id: 'u-1' } },
  })
  expect(withMember({ spec: 'text' }, 'spec.name', 1)).toEqual({ spec: { name: 1 } })
})

test('only members that are wanted are compared, lists as a whole', () => {
  const actual = { name: 'a', spec: { scopes: ['x'], other: 1 }, id: 'sa-1' }
  expect(differences({ name: 'a', spec: { scopes: ['x'] } }, actual)).toEqual([])
  expect(differences({ name: 'b', spec: { scopes: ['x', 'y'] } }, actual)).toEqual([
    { path: 'name', from: 'a', to: 'b' },
    { path: 'spec.scopes', from: ['x'], to: ['x', 'y'] },
  ])
})

test('null takes away what is there, and nothing where nothing is', () => {
  expect(differences({ gone: null }, {})).toEqual([])
  expect(differences({ gone: null }, { gone: 1 })).toEqual([{ path: 'gone', from: 1, to: null }])
})

test('values are shown as texts, others as JSON', () => {
  expect([shown('a b'), shown(undefined), shown(null), shown(['a']), shown(1)]).toEqual([
    'a b',
    '',
    '',
    '["a"]',
    '1',
  ])
})
