import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const source = resolve(import.meta.dirname, '../../src')

/** What each folder may import of the others, as in docs/architecture.md. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  telemetry: [],
  periodic: [],
  http1: [],
  auth: ['errors', 'periodic'],
  config: ['errors', 'auth', 'periodic'],
  redis: ['errors', 'telemetry'],
  directory: ['errors', 'telemetry', 'periodic'],
  limits: ['errors', 'redis', 'periodic'],
  catalog: ['errors', 'auth'],
  documentation: ['errors', 'auth', 'catalog'],
  gateway: ['errors', 'telemetry', 'periodic', 'http1', 'auth', 'limits', 'catalog'],
  sts: ['errors', 'auth', 'gateway'],
  oauth: ['errors', 'auth', 'gateway'],
  crn: ['errors'],
  'resource-api': ['errors', 'gateway', 'crn'],
  iam: ['errors', 'auth', 'gateway', 'crn', 'directory', 'resource-api'],
  org: ['errors', 'gateway', 'crn', 'directory', 'resource-api'],
  governance: ['errors', 'gateway', 'crn', 'directory', 'resource-api'],
  quota: ['gateway', 'crn', 'resource-api'],
  demo: [],
  cli: ['errors'],
}

/** Packages that one folder alone may use, so that what they do has one place. */
const keptIn: Readonly<Record<string, readonly string[]>> = {
  ioredis: ['redis'],
  'rate-limiter-flexible': ['limits'],
  pg: ['directory'],
  '@electric-sql/pglite': ['directory'],
  '@redocly/openapi-core': ['catalog'],
  undici: ['gateway', 'auth'],
  jose: ['auth'],
  '@bufbuild/cel': ['auth'],
  pino: ['telemetry'],
  cockatiel: ['gateway'],
  commander: ['cli'],
  'prom-client': ['telemetry'],
  '@opentelemetry/sdk-trace': ['telemetry'],
  '@opentelemetry/exporter-trace-otlp-http': ['telemetry'],
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
)

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(source, file), 'utf8')
  const pattern =
    /(?:^|\n)(?:import|export)\b[^'"]*?\bfrom\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g
  return [...text.matchAll(pattern)].flatMap(([, from, dynamic]) => from ?? dynamic ?? [])
}

function localImports(file: string): readonly string[] {
  const own = importsOf(file).filter((specifier) => specifier.startsWith('.'))
  return own.map((specifier) => relative(source, resolve(source, dirname(file), specifier)))
}

function folderOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : ''
}

test('every folder imports only what the table allows', () => {
  const crossings = files
    .filter((file) => folderOf(file) !== '')
    .flatMap((file) => localImports(file).map((imported) => ({ file, imported })))
    .filter(({ file, imported }) => folderOf(imported) !== folderOf(file))
    .filter(({ file, imported }) => !mayImport[folderOf(file)]?.includes(folderOf(imported)))
  expect(crossings).toEqual([])
  expect([...new Set(files.map(folderOf))].filter((folder) => folder !== '').sort()).toEqual(
    Object.keys(mayImport).sort(),
  )
})

test('files do not import each other in a circle', () => {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    expect(path, `circle: ${[...path, file].join(' → ')}`).not.toContain(file)
    if (done.has(file)) return
    for (const imported of localImports(file)) visit(imported, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  expect(done.size).toBe(files.length)
})

test('a package with one place is used in that place alone', () => {
  const strays = files.flatMap((file) =>
    importsOf(file)
      .filter((specifier) => keptIn[specifier]?.includes(folderOf(file)) === false)
      .map((specifier) => ({ file, specifier })),
  )
  expect(strays).toEqual([])
})

test('no file is a barrel or a drawer for anything', () => {
  const names = files.filter((file) => /(?:^|\/)(?:index|utils?|helpers?)(?:\.ts|\/)/.test(file))
  expect(names).toEqual([])
})

test('nothing is left for later in the sources', () => {
  const marked = files.filter((file) =>
    /\b(?:TODO|FIXME|XXX)\b|@ts-(?:ignore|expect-error)/.test(
      readFileSync(join(source, file), 'utf8'),
    ),
  )
  expect(marked).toEqual([])
})
