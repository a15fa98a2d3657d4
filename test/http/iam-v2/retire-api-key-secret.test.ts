import { expect, test } from 'vitest'
import { useApi } from '../../support/api.ts'
import { basic } from '../../support/basic.ts'
import { administrator, audited } from '../support/collection.ts'
import { anApiKey } from '../support/key.ts'

const operation = 'retireIamV2ApiKeySecret'
const api = useApi()

/** A key with two secrets. */
async function rotated() {
  const { path, secret: older } = await anApiKey(api)
  const made = await api.call('createIamV2ApiKeySecret', { path, body: {} })
  const { secret: newer } = made.body['spec'] as { secret: string }
  const statusOf = async (secret: string) => {
    const authorization = basic(path.id, secret)
    return (await api.call('getIamV2ApiKey', { path, authorization })).status
  }
  return { path, statuses: async () => [await statusOf(older), await statusOf(newer)] }
}

test('200 has the newer secret work alone, at once, and the audit has it', async () => {
  const { path, statuses } = await rotated()
  expect(await statuses()).toEqual([200, 200])
  const retired = await api.call(operation, { path })
  expect(retired.status).toBe(200)
  expect(retired.body['spec']).not.toHaveProperty('secret')
  expect(await statuses()).toEqual([401, 200])
  expect((await audited(api, administrator(api), path))[0]).toBe('api-key.secret-retired')
})

test('200 again and again, whichever slot the older secret is in', async () => {
  const { path, secret } = await anApiKey(api)
  let latest = secret
  for (let turn = 0; turn < 3; turn++) {
    const made = await api.call('createIamV2ApiKeySecret', { path, body: {} })
    expect((await api.call(operation, { path })).status).toBe(200)
    const authorization = basic(path.id, latest)
    expect((await api.call('getIamV2ApiKey', { path, authorization })).status).toBe(401)
    latest = (made.body['spec'] as { secret: string }).secret
    const newer = { path, authorization: basic(path.id, latest) }
    expect((await api.call('getIamV2ApiKey', newer)).status).toBe(200)
  }
})

test('409 keeps the only secret that works', async () => {
  const { path, secret } = await anApiKey(api)
  expect((await api.call(operation, { path })).status).toBe(409)
  const authorization = basic(path.id, secret)
  expect((await api.call('getIamV2ApiKey', { path, authorization })).status).toBe(200)
})

test('404 is for another organization’s key, whose secrets stay, and for none', async () => {
  const { path, statuses } = await rotated()
  const { authorization } = api.stranger
  expect((await api.call(operation, { path, authorization })).status).toBe(404)
  expect(await statuses()).toEqual([200, 200])
  expect((await api.call(operation, { path: { id: 'AAAAAAAAAAAAAAAA' } })).status).toBe(404)
})
