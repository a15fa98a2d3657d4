import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'vitest'
import { compileCatalog } from '../../src/catalog/catalog.ts'
import { CatalogError } from '../../src/catalog/catalog-error.ts'
import { folderWith } from './compile-groups.ts'

const key = fc.constantFrom(
  ...['openapi', 'paths', 'components', 'servers', 'security', 'parameters', 'schema', 'content'],
  ...['get', 'put', 'query', 'additionalOperations', '$ref', 'url', 'variables', 'default'],
  ...['securitySchemes', 'x-lifecycle-stage', 'x-sunset-at', 'name', 'in', 'key', '__proto__'],
  ...['/', '/a', '/a/{x}', '/{y}/b', '/{x', '/{}', '//', '/a?b', 'a', '/*', '/:a', '/%', ''],
)
const leaf = fc.oneof(
  fc.constantFrom('3.1.0', '3.2.0', '#/paths/~1a', '#/components', '#', '/v1', '{x}', 'path', null),
  fc.jsonValue({ maxDepth: 1 }),
)

/** Documents in which anything can stand anywhere. */
const { anything } = fc.letrec((tie) => ({
  anything: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    leaf,
    fc.dictionary(key, tie('anything'), { maxKeys: 6 }),
    fc.array(tie('anything'), { maxLength: 3 }),
  ),
}))
const document = fc.record({
  openapi: fc.constantFrom('3.0.0', '3.1.0', '3.2.0'),
  paths: fc.oneof(anything, fc.dictionary(key, anything, { minKeys: 1 })),
  components: anything,
  servers: anything,
  security: anything,
})

test('whatever a document holds, it makes a catalog or a list of problems', async () => {
  const folder = await folderWith({})
  let run = 0
  await fc.assert(
    fc.asyncProperty(document, async (content) => {
      const documentPath = join(folder, `${String((run += 1))}.json`)
      await writeFile(documentPath, JSON.stringify(content))
      const rules = { schemes: { key: 'cloud-api-key' }, undeclaredSecurity: 'anonymous' } as const
      const group = { name: 'g', documentPath, mount: '', hosts: [], ...rules }
      try {
        const { catalog } = await compileCatalog([group])
        for (const { method, path } of catalog.operations) catalog.match('h', method, path)
      } catch (error) {
        if (!(error instanceof CatalogError)) throw error
      }
    }),
    { numRuns: 200 },
  )
})
