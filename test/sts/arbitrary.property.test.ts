import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mint } from '../auth/tokens/minting.ts'
import { dryRunPath, exchangePath, fields, providerKey, startSts } from './serving.ts'

const sts = startSts()
const known = Object.keys(fields)
const name = fc.oneof(
  fc.constantFrom(...known, 'expires_in', 'scope', 'audience'),
  fc.constantFrom('__proto__', 'constructor', 'prototype', '__proto__[x]', 'constructor.prototype'),
  fc.string(),
)
const value = fc.oneof(
  fc.constantFrom(...Object.values(fields), mint(providerKey), '', '900', 'polluted'),
  fc.string({ unit: 'binary' }),
)
const pairs = fc
  .array(fc.tuple(name, value), { maxLength: 20 })
  .map((entries) => new URLSearchParams(entries).toString())
const raw = fc.string({
  unit: fc.constantFrom('&', '=', '%', '%00', '%ff', '+', '[', ']', 'a', '?'),
})
const bytes = fc.uint8Array({ maxLength: 500 })
const body = fc.oneof(pairs, raw, bytes)
const members = fc
  .record(Object.fromEntries(known.map((each) => [each, fc.oneof(value, fc.jsonValue())])))
  .chain((object) => fc.dictionary(name, fc.jsonValue()).map((noise) => ({ ...object, ...noise })))
  .map((object) => JSON.stringify(object))

test('no form is answered by anything but 200 and 400, nor leaves a trace in Object.prototype', async () => {
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom(exchangePath, dryRunPath), async (sent, path) => {
      const { status } = await sts.post(
        path,
        typeof sent === 'string' ? sent : new Uint8Array(sent),
        'application/x-www-form-urlencoded',
      )
      expect([200, 400]).toContain(status)
      expect(Reflect.ownKeys(Object.prototype)).toEqual(pristine)
    }),
    { numRuns: 500 },
  )
})

test('nor is any JSON', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(members, fc.json(), fc.string()), async (sent) => {
      const { status } = await sts.post(dryRunPath, sent, 'application/json')
      expect([200, 400]).toContain(status)
      expect(Reflect.ownKeys(Object.prototype)).toEqual(pristine)
    }),
  )
})

const pristine = Reflect.ownKeys(Object.prototype)
