import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'listGatehouseV1AuditEvents'
const api = useGovernance()

async function account(name: string) {
  return api.call('createIamV2ServiceAccount', { body: { display_name: name } })
}

test('200 lists what was done, newest first, with who, what and from where', async () => {
  const made = await account('first')
  const later = await account('second')
  const { body } = await api.call(operation)
  expect(body.data[0]).toMatchObject({ subject: { kind: 'service-account', id: later.body.id } })
  expect(body.data[1]).toMatchObject({
    action: 'service-account.created',
    actor: { id: api.gateway.userId },
    subject: { kind: 'service-account', id: made.body.id },
    request_id: made.headers.get('x-request-id'),
    address: '127.0.0.1',
    after: { display_name: 'first' },
  })
})

test('200 filters by action, actor, subject, request and time', async () => {
  const made = await account('filtered')
  const only = async (query: Record<string, string>) => {
    const { body } = await api.call(operation, { query: { page_size: '100', ...query } })
    return body.data.map(({ subject }) => (subject as { id: string }).id)
  }
  const { id, metadata } = made.body
  expect(await only({ subject: id })).toEqual([id])
  expect(await only({ request_id: made.headers.get('x-request-id') ?? '' })).toEqual([id])
  expect(await only({ action: 'service-account.deleted' })).toEqual([])
  expect(await only({ subject: id, subject_kind: 'user' })).toEqual([])
  expect(await only({ subject: id, actor: 'u-nobody' })).toEqual([])
  const created = metadata['created_at'] ?? ''
  expect(await only({ subject: id, until: created })).toEqual([])
  expect(await only({ subject: id, from: created })).toEqual([id])
})

test('200 pages to the oldest and back', async () => {
  const first = await api.call(operation, { query: { page_size: '2' } })
  const second = await api.follow(operation, first.body.metadata['next'])
  const ids = [...first.body.data, ...second.body.data].map(({ id }) => Number(id))
  expect(ids).toEqual(ids.toSorted((a, b) => b - a))
  const back = await api.follow(operation, second.body.metadata['prev'])
  expect(back.body.data).toEqual(first.body.data)
})

test('200 shows nothing of another organization, nor of what belongs to none', async () => {
  const partner = await api.call('createGatehouseV1Partner', { body: { display_name: 'Acme' } })
  const mine = await account('mine')
  const { authorization } = api.stranger
  for (const subject of [partner.body.id, mine.body.id]) {
    const theirs = await api.call(operation, { query: { subject }, authorization })
    expect(theirs.body.data).toEqual([])
  }
  const query = { organization: 'none', subject: partner.body.id }
  expect((await api.call(operation, { query })).body.data).toHaveLength(1)
  expect((await api.call(operation, { query, authorization })).status).toBe(403)
})

test('400 is for a time that is none', async () => {
  const { status, body } = await api.call(operation, { query: { from: 'yesterday' } })
  expect(status).toBe(400)
  expect(body.error.fields).toEqual([expect.objectContaining({ parameter: 'from' })])
})
