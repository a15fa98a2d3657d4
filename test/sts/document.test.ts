import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { compileCatalog } from '../../src/catalog/catalog.ts'

test('the document serves both operations, each opened by what it says', async () => {
  const { catalog, warnings } = await compileCatalog([
    {
      name: 'sts',
      documentPath: resolve(import.meta.dirname, '../../config/apis/sts.yaml'),
      mount: '',
      hosts: [],
      schemes: {
        'cloud-api-key': 'cloud-api-key',
        'confluent-sts-access-token': 'sts-access-token',
      },
    },
  ])
  expect(warnings).toEqual([])
  const served = catalog.operations.map(({ method, path, security }) => [
    `${method} ${path}`,
    security.map((alternative) => alternative.map(({ kind }) => kind)),
  ])
  expect(Object.fromEntries(served)).toEqual({
    'POST /sts/v1/oauth2/token': [[]],
    'POST /sts/v1/oauth2/token:dry-run': [['cloud-api-key'], ['sts-access-token']],
  })
  const elsewhere = catalog.match('api.example.com', 'POST', '/sts/v1/oauth2/token:other')
  expect(elsewhere.kind).toBe('not-found')
})
