import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatCrn, parseCrn, within } from '../../src/crn/crn.ts'
import { matches, parsePattern } from '../../src/crn/pattern.ts'

const organization = 'organization=9bb441c4-edef-46ac-8a41-c49e44a3fd9a'
const environment = `${organization}/environment=env-456xy`
const kafka = `${environment}/cloud-cluster=lkc-123abc/kafka=lkc-123abc`

/** The kinds of resources that the reference names, each with one of its names. */
const rows = [
  organization,
  environment,
  `${organization}/user=u-rst9876`,
  `${organization}/user=u-zyx98/api-key=ABCDEFG9876543210`,
  `${organization}/service-account=sa-abc1234`,
  kafka,
  `${kafka}/topic=my_kafka_topic`,
  `${kafka}/group=a_consumer_123`,
  `${environment}/network=n-123abc`,
  `${environment}/network=n-123abc/peering=p-123abc`,
  `${environment}/network=n-123abc/private-link-access=pla-123abc`,
  `${environment}/network=n-123abc/transit-gateway-attachment=tgwa-123abc`,
  `${environment}/schema-registry=lsrc-789qw`,
  `${environment}/schema-registry=lsrc-789qw/subject=test`,
  `${environment}/schema-registry=lsrc-789qw/kek=test_kek`,
  `${environment}/cloud-cluster=lkc-123abc/connector=my_connector`,
  `${environment}/provider-integration=cspi-123j1`,
  `${organization}/identity-provider=op-1/identity-pool=pool-1`,
]

const names = ['confluent.cloud', 'mds.example.com:8090', '']
  .flatMap((authority) => rows.map((row) => `crn://${authority}/${row}`))
  .concat('crn://confluent.cloud/user=u-1')

test.each(names)('%s is read, and written as it was', (name) => {
  const crn = parseCrn(name)
  expect(crn && formatCrn(crn)).toBe(name)
})

test('a double slash is read as one', () => {
  const crn = parseCrn(`crn://confluent.cloud/${environment}/schema-registry=lsrc-1//kek=k`)
  expect(crn && formatCrn(crn)).toBe(
    `crn://confluent.cloud/${environment}/schema-registry=lsrc-1/kek=k`,
  )
})

test.each([
  '',
  'crn://confluent.cloud',
  'crn://confluent.cloud/',
  'crn:/confluent.cloud/user=u-1',
  'http://confluent.cloud/user=u-1',
  'crn://a b/user=u-1',
  'crn://user@host/user=u-1',
  'crn://confluent.cloud/user',
  'crn://confluent.cloud/user=',
  'crn://confluent.cloud/=u-1',
  'crn://confluent.cloud/User=u-1',
  'crn://confluent.cloud/user=u=1',
  'crn://confluent.cloud/user=%',
  'crn://confluent.cloud/user=%FF',
  'crn://confluent.cloud/user=a b',
  'crn://confluent.cloud/user=ü',
  'crn://confluent.cloud/user=*',
  'crn://confluent.cloud/user=u-1\n',
  `crn://confluent.cloud/user=${'x'.repeat(4096)}`,
])('%j is no name', (text) => {
  expect(parseCrn(text)).toBeUndefined()
})

const id = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
const kind = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/)
const crns = fc.record({
  authority: fc.constantFrom(...names.map((name) => name.split('/')[2] ?? '')),
  elements: fc.array(fc.record({ kind, id }), { minLength: 1, maxLength: 6 }),
})

test('whatever ids are, a name is read back as what was written', () => {
  fc.assert(
    fc.property(crns, (crn) => {
      const text = formatCrn(crn)
      expect(text).toMatch(/^crn:\/\/[\x21-\x7e]+$/)
      expect(parseCrn(text)).toEqual(crn)
    }),
  )
})

test('any text is a name or is not, and a name is written in one way', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const crn = parseCrn(`crn://confluent.cloud/topic=${text}`)
      if (crn !== undefined) expect(parseCrn(formatCrn(crn))).toEqual(crn)
    }),
  )
})

describe('a pattern', () => {
  const topic = `crn://confluent.cloud/${kafka}/topic=clicks-eu`

  test.each([
    ['itself', topic, true],
    ['a beginning of the id', `crn://confluent.cloud/${kafka}/topic=clicks-*`, true],
    ['any id of the kind', `crn://confluent.cloud/${kafka}/topic=*`, true],
    ['anything within', `crn://confluent.cloud/${kafka}/*`, true],
    ['what it is within', `crn://confluent.cloud/${environment}`, true],
    ['any environment', `crn://confluent.cloud/${organization}/environment=*`, true],
    ['the organization', `crn://confluent.cloud/${organization}`, true],
    ['an encoded id', `crn://confluent.cloud/${kafka}/topic=%63licks-eu`, true],
    ['another beginning', `crn://confluent.cloud/${kafka}/topic=orders-*`, false],
    ['another kind', `crn://confluent.cloud/${kafka}/group=clicks-*`, false],
    ['another authority', `crn://example.com/${kafka}/topic=clicks-*`, false],
    ['no authority', `crn:///${kafka}/topic=clicks-*`, false],
    ['an id that only begins so', `crn://confluent.cloud/${organization}/environment=env-4`, false],
    ['something within', `${topic}/partition=1`, false],
  ])('of %s: %s', (_, text, expected) => {
    const pattern = parsePattern(text)
    const crn = parseCrn(topic)
    if (pattern === undefined || crn === undefined) throw new Error('not read')
    expect(matches(pattern, crn)).toBe(expected)
  })

  test.each([
    'crn://confluent.cloud/*',
    'crn://*/organization=1',
    'crn://confluent.cloud/organization=*/user=u-1',
    'crn://confluent.cloud/organization=**',
    'crn://confluent.cloud/organization=a*b',
    'crn://confluent.cloud/*=a',
    '*',
  ])('with a star elsewhere is none: %s', (text) => {
    expect(parsePattern(text)).toBeUndefined()
  })

  test('matches every name that begins as it does, and a star in an id is only a star', () => {
    fc.assert(
      fc.property(crns, kind, id, id, (crn, ofKind, start, rest) => {
        const inner = within(crn, ofKind, start + rest)
        const whole = parsePattern(formatCrn(crn))
        const open = parsePattern(`${formatCrn(within(crn, ofKind, start))}*`)
        expect(whole && matches(whole, inner)).toBe(true)
        expect(open && matches(open, inner)).toBe(true)
        const starred = parsePattern(formatCrn(within(crn, ofKind, `${start}*`)))
        expect(starred && matches(starred, inner)).toBe(rest.startsWith('*') && rest.length === 1)
      }),
    )
  })
})
