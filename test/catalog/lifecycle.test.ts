import { describe, expect, test } from 'vitest'
import { compileGroups } from './compile-groups.ts'

async function lifecycleOf(operation: object, pathItem: object = {}) {
  const document = { openapi: '3.1.0', paths: { '/a': { ...pathItem, get: operation } } }
  const { catalog, warnings } = await compileGroups({ name: 'g', document })
  return { ...catalog.operations[0]?.lifecycle, warnings }
}

describe('the stage of an operation', () => {
  const spellings = [
    ['General Availability', 'generally-available'],
    ['Generally Available', 'generally-available'],
    ['generally available', 'generally-available'],
    ['Early Access', 'early-access'],
    ['EARLY-ACCESS', 'early-access'],
    ['Preview', 'preview'],
    ['Limited Availability', 'limited-availability'],
    ['Deprecated', 'deprecated'],
    ['Sunset', 'sunset'],
  ] as const
  for (const [written, stage] of spellings) {
    test(`"${written}" is ${stage}`, async () => {
      const since = { 'x-deprecated-at': '2026-01-01' }
      expect(await lifecycleOf({ 'x-lifecycle-stage': written, ...since })).toMatchObject({
        stage,
        warnings: [],
      })
    })
  }

  test('is generally available where nothing is said', async () => {
    expect(await lifecycleOf({})).toEqual({
      stage: 'generally-available',
      deprecatedAt: undefined,
      sunsetAt: undefined,
      selfAccess: true,
      requestAccessName: undefined,
      notices: [],
      warnings: [],
    })
  })

  test('is deprecated by the field of that name, but for what is sunset already', async () => {
    const stages = ['Preview', 'Sunset'].map(async (stage) => {
      return (await lifecycleOf({ deprecated: true, 'x-lifecycle-stage': stage })).stage
    })
    expect(await Promise.all(stages)).toEqual(['deprecated', 'sunset'])
  })

  test('that is unknown is taken as generally available, with a warning', async () => {
    expect(await lifecycleOf({ 'x-lifecycle-stage': 'Closed Beta' })).toMatchObject({
      stage: 'generally-available',
      warnings: [
        'group "g": GET /a: its stage "Closed Beta" is unknown and taken as generally available',
      ],
    })
  })
})

test('times of RFC 3339 are read', async () => {
  expect(
    await lifecycleOf({
      'x-deprecated-at': '2021-09-25T02:00:00.5+02:00',
      'x-sunset-at': '2022-04-25',
    }),
  ).toMatchObject({
    deprecatedAt: new Date(Date.UTC(2021, 8, 25, 0, 0, 0, 500)),
    sunsetAt: new Date(Date.UTC(2022, 3, 25)),
    warnings: [],
  })
})

test.each([
  'soon',
  '1',
  '12/12/2021',
  'Sat, 25 Sep 2021',
  '2021-09-25T00:00:00',
  '2021-13-01',
  1e9,
])('%j is no time, with a warning, wherever the machine stands', async (written) => {
  expect(await lifecycleOf({ 'x-sunset-at': written })).toMatchObject({
    sunsetAt: undefined,
    warnings: ['group "g": GET /a: its x-sunset-at is not a time in RFC 3339'],
  })
})

test('a field of the path item counts unless the operation has it', async () => {
  const pathItem = {
    'x-lifecycle-stage': 'Early Access',
    'x-self-access': false,
    'x-request-access-name': 'Partner v2',
  }
  expect(await lifecycleOf({}, pathItem)).toMatchObject({
    stage: 'early-access',
    selfAccess: false,
    requestAccessName: 'Partner v2',
  })
  expect(
    await lifecycleOf({ 'x-lifecycle-stage': 'Preview', 'x-self-access': true }, pathItem),
  ).toMatchObject({ stage: 'preview', selfAccess: true, requestAccessName: 'Partner v2' })
})
