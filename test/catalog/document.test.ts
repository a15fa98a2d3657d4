import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { dereferenced, loadDocument } from '../../src/catalog/document.ts'
import { folderWith } from './compile-groups.ts'

async function load(text: unknown, files: Readonly<Record<string, unknown>> = {}) {
  const folder = await folderWith({ ...files, 'api.yaml': text })
  return loadDocument(join(folder, 'api.yaml'))
}

const minimal = { openapi: '3.1.0', info: { title: 'T', version: '1' }, paths: {} }

describe('a document', () => {
  test('is YAML or JSON of OpenAPI 3.0, 3.1 or 3.2', async () => {
    expect(await load('openapi: 3.0.3\npaths: {}\n')).toMatchObject({ version: '3.0' })
    expect(await load({ ...minimal })).toMatchObject({ version: '3.1' })
    expect(await load('{"openapi": "3.2.0",\n\t"paths": {}}')).toMatchObject({ version: '3.2' })
  })

  test('may be wrong where the catalog does not look', async () => {
    const document = await load(`
openapi: 3.0.3
x-anything: { $ref: '#/nowhere' }
tags: not a list
paths:
  /a:
    x-unknown: 1
    get:
      responses: { 200: { description: [] , content: 3 } }
      requestBody:
        content:
          application/json:
            schema: { $ref: '#/components/schemas/Missing' }
            example: { $ref: './not-a-file.json' }
            examples: { outside: { externalValue: 'https://files.example/large.json' } }
components:
  schemas:
    Pet: { discriminator: { propertyName: kind, mapping: { dog: Dog } }, type: what }
`)
    expect(document.root).toMatchObject({ paths: { '/a': { get: {} } } })
  })

  test('may consist of several files in its folder', async () => {
    const document = await load(
      { ...minimal, paths: { '/a': { $ref: './paths.yaml#/a' } } },
      {
        'paths.yaml': "a: { get: { parameters: [{ $ref: 'parameters.yaml#/P' }] } }",
        'parameters.yaml': 'P: { name: q, in: query }',
      },
    )
    const { root } = document
    const pathItem = dereferenced(
      document,
      (root as { paths: Record<string, unknown> }).paths['/a'],
    )
    const [parameter] = (pathItem as { get: { parameters: unknown[] } }).get.parameters
    expect(dereferenced(document, parameter)).toEqual({ name: 'q', in: 'query' })
  })

  test('may itself be a symbolic link', async () => {
    const elsewhere = await folderWith({ 'api.json': minimal })
    const folder = await folderWith({})
    await symlink(join(elsewhere, 'api.json'), join(folder, 'api.json'))
    await expect(loadDocument(join(folder, 'api.json'))).resolves.toBeDefined()
  })

  test('may refer to itself in circles where they have a way out', async () => {
    const schema = { properties: { parent: { $ref: '#/components/schemas/Node' } } }
    await expect(
      load({ ...minimal, components: { schemas: { Node: schema } } }),
    ).resolves.toBeDefined()
  })
})

describe('a reference', () => {
  const refused = [
    ['to another host', 'https://schemas.example/a.yaml#/A', 'nothing is fetched from a network'],
    ['by another scheme', 'file:///etc/hostname', 'nothing is fetched from a network'],
    ['to a folder above', '../outside.yaml#/A', 'it is outside the folder of the document'],
    ['to an absolute path', '/etc/hostname', 'it is outside the folder of the document'],
  ] as const
  for (const [what, reference, reason] of refused) {
    test(`${what} is refused with its place`, async () => {
      const loading = load(`openapi: 3.1.0
paths:
  /a:
    get:
      parameters:
        - $ref: '${reference}'
`)
      await expect(loading).rejects.toThrow(
        `api.yaml:6:11: the reference "${reference}" is refused: ${reason}`,
      )
    })
  }

  test('that comes by a merge key is refused as well', async () => {
    const loading = load(`openapi: 3.1.0
x-common: &common { $ref: 'https://schemas.example/a.yaml' }
paths:
  /a:
    get:
      parameters:
        - <<: *common
`)
    await expect(loading).rejects.toThrow(/api\.yaml:\d+:\d+: the reference .* is refused/)
  })

  test('through a symbolic link that leads out is refused', async () => {
    const outside = await folderWith({ 'secret.yaml': 'A: { name: q, in: query }' })
    const folder = await folderWith({
      'api.yaml': { ...minimal, paths: { '/a': { $ref: 'link.yaml#/A' } } },
    })
    await symlink(join(outside, 'secret.yaml'), join(folder, 'link.yaml'))
    await expect(loadDocument(join(folder, 'api.yaml'))).rejects.toThrow(
      'the reference "link.yaml#/A" is refused: it is outside the folder of the document',
    )
  })

  test('in a file below is judged from the folder of the document', async () => {
    const folder = await folderWith({
      'api.yaml': { ...minimal, paths: { '/a': { $ref: 'paths/a.yaml' } } },
      'shared.yaml': 'P: { name: q, in: query }',
    })
    await mkdir(join(folder, 'paths'))
    const file = join(folder, 'paths', 'a.yaml')
    await writeFile(file, "get: { parameters: [{ $ref: '../shared.yaml#/P' }] }")
    await expect(loadDocument(join(folder, 'api.yaml'))).resolves.toBeDefined()
    await writeFile(file, "get: { parameters: [{ $ref: '../../shared.yaml#/P' }] }")
    await expect(loadDocument(join(folder, 'api.yaml'))).rejects.toThrow(
      'a.yaml:1:21: the reference "../../shared.yaml#/P" is refused',
    )
  })

  test('to a file that cannot be parsed is an error with the place', async () => {
    const loading = load(
      { ...minimal, paths: { '/a': { $ref: 'broken.yaml' } } },
      { 'broken.yaml': 'get:\n  parameters: [' },
    )
    await expect(loading).rejects.toThrow(
      /the reference "broken\.yaml" is refused: \/.*\/broken\.yaml:2:16: /,
    )
  })

  test('that leads back to itself leads nowhere', async () => {
    const parameters = {
      A: { $ref: '#/components/parameters/B' },
      B: { $ref: '#/components/parameters/A' },
      C: { $ref: '#/components/parameters/C/name' },
    }
    const document = await load({ ...minimal, components: { parameters } })
    const { A, C } = (document.root as { components: { parameters: typeof parameters } }).components
      .parameters
    expect(dereferenced(document, A)).toBe(undefined)
    expect(dereferenced(document, C)).toBe(undefined)
  })

  test('is found where a thing has the name of a keyword', async () => {
    for (const place of ['responses', 'schemas', 'parameters']) {
      const named = { default: { $ref: 'https://schemas.example/a.yaml' } }
      await expect(load({ ...minimal, components: { [place]: named } })).rejects.toThrow(
        'nothing is fetched from a network',
      )
    }
  })
})

describe('a file is refused with its name and the place', () => {
  const refused = [
    ['broken YAML', 'openapi: 3.1.0\npaths:\n  /a: [\n', /api\.yaml:4:1: it cannot be read: /],
    ['a mapping with a key twice', 'openapi: 3.1.0\nopenapi: 3.1.0\n', /api\.yaml:2:1: /],
    ['Swagger 2.0', "swagger: '2.0'\npaths: {}\n", /api\.yaml: this is a Swagger 2.0 document/],
    ['other YAML', 'kind: Deployment\n', /api\.yaml: .*it has no "openapi" field/],
    ['text', 'hello', /api\.yaml: this is not an OpenAPI document/],
    ['nothing', '', /api\.yaml: this is not an OpenAPI document/],
    ['an unknown version', 'openapi: 4.0.0\n', /OpenAPI 3\.0, 3\.1 or 3\.2/],
    ['a version that is a number', 'openapi: 3.1\n', /OpenAPI 3\.0, 3\.1 or 3\.2/],
  ] as const
  for (const [what, text, message] of refused) {
    test(what, async () => {
      await expect(load(text)).rejects.toThrow(message)
    })
  }

  test('one that does not exist', async () => {
    await expect(loadDocument('/nowhere/api.yaml')).rejects.toThrow(
      '/nowhere/api.yaml: it cannot be read: ENOENT',
    )
  })

  test('one that is too large', async () => {
    await expect(load(`# ${'x'.repeat(33_554_432)}`)).rejects.toThrow(
      'it cannot be read: it is larger than 33554432 bytes',
    )
  })
})

describe('what expands beyond measure is refused before it is walked', () => {
  test('aliases of aliases', async () => {
    const lines = ['x0: &x0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]']
    for (let level = 1; level < 12; level += 1) {
      const alias = `*x${level - 1}`
      lines.push(`x${level}: &x${level} [${Array.from({ length: 10 }, () => alias).join(', ')}]`)
    }
    await expect(load(`openapi: 3.1.0\n${lines.join('\n')}\n`)).rejects.toThrow(
      'more than 4000000 nodes once aliases expand',
    )
  })

  test('an alias within itself', async () => {
    await expect(load('openapi: 3.1.0\nx-a: &a [*a]\n')).rejects.toThrow(
      'a YAML alias stands for a node around itself',
    )
  })

  test('deep nesting, also through aliases', async () => {
    const nested = `${'['.repeat(600)}${']'.repeat(600)}`
    await expect(load(`openapi: 3.1.0\nx-a: ${nested}\n`)).rejects.toThrow('it cannot be read')
    const lines = ['x0: &x0 []']
    for (let level = 1; level < 600; level += 1) {
      lines.push(`x${level}: &x${level} [*x${level - 1}]`)
    }
    await expect(load(`openapi: 3.1.0\n${lines.join('\n')}\n`)).rejects.toThrow(
      'it nests more than 500 levels deep',
    )
  })
})
