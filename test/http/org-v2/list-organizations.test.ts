import { expect, test } from 'vitest'
import { useApi } from '../../support/api.ts'

const operation = 'listOrgV2Organizations'
const api = useApi()

test('200 shows the caller’s organization, and no other', async () => {
  const { organizationId, authorization } = api.stranger
  const mine = await api.call(operation)
  expect(mine.body.data.map(({ id }) => id)).toEqual([api.gateway.organizationId])
  const theirs = await api.call(operation, { authorization })
  expect(theirs.body.data.map(({ id }) => id)).toEqual([organizationId])
})

test('200 is a list of one, whichever page is asked for', async () => {
  const { body } = await api.call(operation, { query: { page_size: '1' } })
  const { metadata } = body
  expect(metadata).toMatchObject({ total_size: 1 })
  expect(metadata).not.toHaveProperty('next')
  expect(metadata).not.toHaveProperty('prev')
  for (const link of ['first', 'last'])
    expect((await api.follow(operation, metadata[link])).body.data).toEqual(body.data)
})

test('400 refuses a page_token of another organization', async () => {
  const { metadata } = (await api.call(operation)).body
  const page_token = new URL(metadata['first'] ?? '').searchParams.get('page_token') ?? ''
  const { authorization } = api.stranger
  expect((await api.call(operation, { query: { page_token }, authorization })).status).toBe(400)
})
