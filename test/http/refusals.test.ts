import { beforeAll, expect, test } from 'vitest'
import { useApi, type ApiRequest } from '../support/api.ts'
import { operations, type DescribedOperation } from '../support/api-documents.ts'
import { basic } from '../support/basic.ts'
import { newPlace } from './support/collection.ts'
import { identityPools } from './support/collections.ts'

/*
 * What every operation of our own resources answers in the same way, whichever it is. Each answer is
 * held against the document of the operation by the harness.
 */

const api = useApi()
let path: Readonly<Record<string, string>>
beforeAll(async () => {
  path = { ...(await newPlace(api, identityPools)).path, id: 'none-1' }
})

const every = [...operations.values()]
const withBody = every.filter(({ bodyProblems }) => bodyProblems !== undefined)
const reachable = every.filter((each) => !/\{(?!id\}|provider_id\})/.test(each.path))

function named(
  chosen: readonly DescribedOperation[],
): readonly (readonly [string, DescribedOperation])[] {
  return chosen.map((operation) => [operation.operationId, operation])
}

function bodyOf({ bodyProblems }: DescribedOperation): ApiRequest {
  return bodyProblems === undefined ? {} : { body: {} }
}

test.each(named(every))('401 without a credential, and with one of nobody: %s', async (id, one) => {
  for (const authorization of [undefined, basic('AAAAAAAAAAAAAAAA', 'secret')])
    expect((await api.call(id, { ...bodyOf(one), authorization })).status).toBe(401)
})

test('403 for a principal that has no role, whatever the operation', async () => {
  const { directory, organizationId } = api.gateway
  const actor = { id: 'test' }
  const account = { organizationId, displayName: 'nobody' }
  const { id: ownerId } = await directory.principals.createServiceAccount(account, actor)
  const key = await directory.apiKeys.create({ ownerId, resource: { kind: 'cloud' } }, actor)
  const authorization = basic(key.id, key.secret)
  for (const one of every) {
    const { status, body } = await api.call(one.operationId, { ...bodyOf(one), authorization })
    expect(status, one.operationId).toBe(403)
    expect(body.error.code).toBe('ACCESS_DENIED')
  }
})

test.each(named(reachable.filter(({ operationId }) => operationId.startsWith('list'))))(
  '400 refuses a page_size out of bounds: %s',
  async (id) => {
    expect((await api.call(id, { path, query: { page_size: '0' } })).status).toBe(400)
  },
)

test.each(named(withBody.filter((one) => reachable.includes(one))))(
  '400 refuses what is no JSON object, 415 what does not say that it is JSON: %s',
  async (id) => {
    const deep = `{"a":${'['.repeat(40)}${']'.repeat(40)}}`
    for (const body of ['{', '[]', '"a"', 'null', deep]) {
      const answer = await api.call(id, { path, body })
      expect(answer.status, body).toBe(400)
      expect(answer.body.error.code).toBe('INVALID_REQUEST')
    }
    const headers = { 'content-type': 'text/plain' }
    expect((await api.call(id, { path, body: {}, headers })).status).toBe(415)
  },
)

test.each(named(withBody))('413 refuses a body over the bound: %s', async (id) => {
  const body = { description: 'x'.repeat(65_536) }
  expect((await api.call(id, { path, body })).status).toBe(413)
})
