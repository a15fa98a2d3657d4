import { readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { configurationJsonSchemaText } from '../../src/config/json-schema.ts'

const file = new URL('../../config/gateway.schema.json', import.meta.url)

test('config/gateway.schema.json is what the configuration is checked by (WRITE_SCHEMA=1 renews it)', async () => {
  const text = configurationJsonSchemaText()
  if (process.env['WRITE_SCHEMA'] === '1') await writeFile(file, text)
  expect(await readFile(file, 'utf8')).toBe(text)
})
