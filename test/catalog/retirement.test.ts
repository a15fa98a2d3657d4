import { expect, test } from 'vitest'
import type { Retirement } from '../../src/catalog/retirement.ts'
import { compileGroups, problemsOf } from './compile-groups.ts'

const document = {
  openapi: '3.1.0',
  paths: {
    '/a': { get: {} },
    '/old': {
      get: {
        deprecated: true,
        'x-deprecated-at': '2025-09-25T00:00:00Z',
        'x-sunset-at': '2026-04-25T00:00:00Z',
      },
    },
    '/gone': { get: { 'x-lifecycle-stage': 'Sunset' } },
  },
}

const entry: Retirement = { stage: 'deprecated', links: {}, critical: false }

async function lifecycles(...retirements: readonly Retirement[]) {
  const { catalog } = await compileGroups({ name: 'g/v1', document, retirements })
  return Object.fromEntries(
    catalog.operations.map(({ path, lifecycle }) => [path, lifecycle] as const),
  )
}

function problems(...retirements: readonly Retirement[]): Promise<readonly string[]> {
  return problemsOf({ name: 'g/v1', document, retirements })
}

test('what the document says of an end becomes header fields', async () => {
  const { '/a': going, '/old': old, '/gone': gone } = await lifecycles()
  expect(going?.notices).toEqual([])
  expect(old?.notices).toEqual([
    'Deprecation',
    '@1758758400',
    'Sunset',
    'Sat, 25 Apr 2026 00:00:00 GMT',
  ])
  expect(gone).toMatchObject({ stage: 'sunset', notices: [] })
})

test('what is deprecated is told so, whether or not anything says since when', async () => {
  const undated = { paths: { '/a': { get: { deprecated: true, 'x-sunset-at': '2030-01-01' } } } }
  const { catalog, warnings } = await compileGroups({
    ...{ name: 'g/v1', document: { openapi: '3.1.0', ...undated } },
  })
  // A date is all that the field takes.
  expect(catalog.operations[0]?.lifecycle.notices).toEqual([
    ...['Deprecation', '@0'],
    ...['Sunset', 'Tue, 01 Jan 2030 00:00:00 GMT'],
  ])
  expect(warnings).toEqual([
    'group "g/v1": GET /a: nothing says since when it is deprecated: callers read @0, and their 180 days are not checked',
  ])
})

test('a deprecation that is announced is told before it begins', async () => {
  const announced = { paths: { '/a': { get: { 'x-deprecated-at': '2030-01-01T00:00:00Z' } } } }
  const { catalog, warnings } = await compileGroups({
    document: { openapi: '3.1.0', ...announced },
  })
  expect(catalog.operations[0]?.lifecycle).toMatchObject({
    stage: 'generally-available',
    notices: ['Deprecation', '@1893456000'],
  })
  expect(warnings).toEqual([])
})

test('a link cannot end itself or its field, whatever the URL holds', async () => {
  const successorVersion = 'https://docs.example.com/é>;\r\nrel="x"#part'
  const { '/a': a } = await lifecycles({
    ...entry,
    operations: ['GET /a'],
    links: { successorVersion },
  })
  expect(a?.notices.slice(2)).toEqual([
    'Link',
    '<https://docs.example.com/%C3%A9%3E;rel=%22x%22#part>; rel="successor-version"',
  ])
})

test('the configuration retires whole groups, or operations by name, and tells what to call', async () => {
  const links = {
    deprecation: 'https://docs.example.com/why',
    sunset: 'https://docs.example.com/when',
    successorVersion: 'https://api.example.com/v2/a',
  }
  const whole = { ...entry, deprecatedAt: '2025-06-01T02:00:00+02:00' }
  const one = { ...entry, stage: 'sunset', operations: ['GET /a'], links } as const
  const { '/a': a, '/old': old } = await lifecycles(whole, one)
  expect(a).toMatchObject({
    stage: 'sunset',
    notices: [
      'Link',
      '<https://docs.example.com/why>; rel="deprecation"',
      'Link',
      '<https://docs.example.com/when>; rel="sunset"',
      'Link',
      '<https://api.example.com/v2/a>; rel="successor-version"',
    ],
  })
  // The document's own sunset stands where the configuration says none.
  expect(old?.notices.slice(0, 2)).toEqual(['Deprecation', '@1748736000'])
  expect(old?.sunsetAt).toEqual(new Date('2026-04-25T00:00:00Z'))
})

test('callers have 180 days, unless it is critical, and no end comes before its announcement', async () => {
  const operations = ['GET /a']
  const soon = {
    ...entry,
    operations,
    deprecatedAt: '2026-01-01T00:00:00Z',
    sunsetAt: '2026-06-29T23:59:59Z',
  }
  expect(await problems(soon)).toEqual([
    'group "g/v1": GET /a: it ends 179 days after it is deprecated; callers have 180, unless "retirements" marks it as critical',
  ])
  expect(await problems({ ...soon, sunsetAt: '2026-06-30T00:00:00Z' })).toEqual([])
  expect(await problems({ ...soon, critical: true })).toEqual([])
  expect(await problems({ ...soon, critical: true, sunsetAt: '2025-12-31T00:00:00Z' })).toEqual([
    'group "g/v1": GET /a: it ends before it is deprecated',
  ])
})

test('a name that no operation has is a problem', async () => {
  expect(await problems({ ...entry, operations: ['GET /b'] })).toEqual([
    'group "g/v1": "retirements" names "GET /b", which is no operation',
  ])
})
