import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { compileGroups } from '../../src/groups.ts'
import { configurationOf, smallest } from './written.ts'

const root = resolve(import.meta.dirname, '../..')
const [demo] = smallest.apiGroups
const oauth = { ...demo, upstream: undefined, name: 'oauth', service: 'oauth' }
const signed = { ...demo, upstream: { ...demo?.upstream, assertionAudience: 'orders' } }
const elsewhere = { listen: { public: { host: '0.0.0.0' } } }

/** What is said of a configuration whose groups have documents that are right. */
async function warningsOf(members: object): Promise<readonly string[]> {
  const configuration = await configurationOf({ ...smallest, ...members })
  const document = resolve(root, 'config/apis/demo.yaml')
  expect(await readFile(document, 'utf8')).not.toBe('')
  const apiGroups = configuration.apiGroups.map((group) => ({ ...group, document }))
  const { warnings, upstreams } = await compileGroups({ ...configuration, apiGroups })
  await Promise.all(upstreams.map((upstream) => upstream.close()))
  return warnings
}

test('whoever signs without saying who it is, is warned of it', async () => {
  const url = 'postgresql://db'
  const pepper = { current: { id: '1', secret: 'x'.repeat(32) } }
  const told = ['groups that need to know who we are ("oauth"), but no "publicOrigin" says it']
  expect(await warningsOf({ ...elsewhere, apiGroups: [oauth] })).toEqual(told)
  expect(await warningsOf({ directory: { url, pepper }, apiGroups: [oauth] })).toEqual(told)
  expect(await warningsOf({ ...elsewhere, apiGroups: [signed] })).toHaveLength(1)
  const tokens = { issuer: 'https://issuer.test' }
  expect(await warningsOf({ ...elsewhere, tokens })).toEqual([
    '"tokens" names an issuer, but there is no "publicOrigin" that its endpoints are under',
  ])
})

test('nobody else is: with an origin, on one machine, or where nothing is signed', async () => {
  const publicOrigin = 'https://api.test'
  expect(await warningsOf({ ...elsewhere, publicOrigin, apiGroups: [oauth] })).toEqual([])
  expect(await warningsOf({ apiGroups: [oauth, { ...signed, mount: '/b' }] })).toEqual([])
  expect(await warningsOf(elsewhere)).toEqual([])
})
