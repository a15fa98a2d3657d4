import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { compileCatalog, type Catalog, type GroupSource } from '../../src/catalog/catalog.ts'
import { CatalogError } from '../../src/catalog/catalog-error.ts'

/** A group whose document is given instead of its path; what is left out has no influence. */
export type TestGroup = Partial<Omit<GroupSource, 'documentPath'>> & { readonly document: unknown }

/** Files by name; values that are not text are written as JSON. */
export async function folderWith(files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-catalog-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    await writeFile(join(folder, name), text)
  }
  return folder
}

/** Compile groups through files, as the process does. */
export async function compileGroups(
  ...groups: readonly TestGroup[]
): Promise<{ readonly catalog: Catalog<GroupSource>; readonly warnings: readonly string[] }> {
  const names = groups.map((_, index) => `document-${index}.json`)
  const folder = await folderWith(
    Object.fromEntries(groups.map(({ document }, index) => [names[index] ?? '', document])),
  )
  return compileCatalog(
    groups.map((group, index) => ({
      name: `group-${index}`,
      mount: '',
      hosts: [],
      schemes: {},
      undeclaredSecurity: 'anonymous' as const,
      ...group,
      documentPath: join(folder, names[index] ?? ''),
    })),
  )
}

/** The problems for which compilation is refused; none where it is not. */
export async function problemsOf(...groups: readonly TestGroup[]): Promise<readonly string[]> {
  try {
    await compileGroups(...groups)
    return []
  } catch (error) {
    if (error instanceof CatalogError) return error.problems
    throw error
  }
}

/** A document with methods by path: `{ '/a/{x}': ['get'] }`. */
export function documentWith(paths: Readonly<Record<string, readonly string[]>>): object {
  const items = Object.entries(paths).map(([path, methods]) => {
    return [path, Object.fromEntries(methods.map((method) => [method, {}]))]
  })
  return { openapi: '3.1.0', paths: Object.fromEntries(items) as unknown }
}

/** What is found in one line: the path of the operation and the values of its parameters. */
export function found(
  { match }: Catalog<GroupSource>,
  method: string,
  path: string,
  host = 'api.example.com',
): string {
  const result = match(host, method, path)
  switch (result.kind) {
    case 'found': {
      const { operation, params } = result
      const values = Object.entries(params).map(([name, value]) => ` ${name}=${value}`)
      return operation.path + values.join('')
    }
    case 'method-not-allowed':
      return `allow ${result.allow.join(', ')}`
    case 'not-found':
    case 'host-unknown':
      return result.kind
  }
}
