import { resolve } from 'node:path'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { configurationJsonSchema } from '../../src/config/json-schema.ts'
import { loadConfiguration } from '../../src/config/load.ts'
import { compileGroups } from '../../src/groups.ts'

const root = resolve(import.meta.dirname, '../..')

const shipped = [
  ['config/gateway.yaml', {}],
  [
    'deploy/gateway.yaml',
    {
      DATABASE_URL: 'postgresql://gatehouse@db/gatehouse',
      REDIS_URL: 'redis://redis:6379',
      DIRECTORY_PEPPER: 'a pepper for this test, long enough',
    },
  ],
] as const

test.each(shipped)('%s is right, and so are its documents', async (file, environment) => {
  const configuration = await loadConfiguration(resolve(root, file), environment)
  const { catalog, warnings, upstreams } = await compileGroups(configuration)
  await Promise.all(upstreams.map((upstream) => upstream.close()))
  expect(warnings).toEqual([])
  expect(catalog.operations.length).toBeGreaterThan(0)
})

test.each(shipped)('an editor that goes by the schema accepts %s', async (file) => {
  const schema = z.fromJSONSchema(configurationJsonSchema() as z.core.JSONSchema.JSONSchema)
  const value: unknown = parse(await readFile(resolve(root, file), 'utf8'))
  expect(schema.safeParse(value).error?.issues ?? []).toEqual([])
  expect(schema.safeParse({ surplus: 1 }).success).toBe(false)
})
