import { itemsAt, memberAt, rootOf, valueAt, type Cursor } from '../catalog/cursor.ts'
import type { Stage } from '../catalog/lifecycle.ts'
import { isObject, itemsOf, memberOf, textOf } from '../catalog/json.ts'
import { parameterNames } from '../catalog/path-template.ts'
import { writtenAt, type DocumentedOperation, type Written } from './audience.ts'
import { collectComponents, type Components } from './components.ts'
import { documentedSecurity } from './documented-security.ts'
import type { Json } from './json.ts'

/** Operations as callers are shown them, and what they refer to. */
export type Described = {
  readonly operations: readonly {
    readonly operation: DocumentedOperation
    /** An Operation Object of OpenAPI 3.1. */
    readonly described: Json
  }[]
  readonly components: Json
}

/**
 * Describe operations as they are served: paths with their mount, security as it is enforced. One
 * operation a step: of large documents all together take long.
 */
export function* describing(
  shown: readonly DocumentedOperation[],
  publicOrigin: string,
): Generator<undefined, Described> {
  const components = collectComponents()
  const ids = new Set<string>()
  const operations: Described['operations'][number][] = []
  for (const operation of shown) {
    const written = writtenAt(operation)
    if (written === undefined) continue
    operations.push({ operation, described: describeOperation(operation, written) })
    yield undefined
  }
  return { operations, components: components.all() }

  function describeOperation(operation: DocumentedOperation, written: Written): Json {
    const { group, lifecycle } = operation
    const copied = components.copy(written.operation, 'operation', group.name)
    const rest = isObject(copied) ? copied : {}
    const operationId = uniqueId(operation, ids)
    return {
      ...rest,
      ...(operationId === undefined ? {} : { operationId }),
      parameters: parametersOf(operation, written, components),
      responses: responsesOf(rest['responses']),
      security: documentedSecurity(operation, components),
      'x-lifecycle-stage': stageNames[lifecycle.stage],
      deprecated: lifecycle.stage === 'deprecated',
      ...timeOf('x-deprecated-at', lifecycle.deprecatedAt),
      ...timeOf('x-sunset-at', lifecycle.sunsetAt),
      ...serversOf(group.hosts, publicOrigin),
    }
  }
}

/** The merged OpenAPI document of operations of any groups. */
export function mergedDocument({ operations, components }: Described, publicOrigin: string): Json {
  const paths = new Map<string, Json>()
  for (const { operation, described } of operations) {
    const { path, method } = operation
    const item = paths.get(path) ?? {}
    const name = method.toLowerCase()
    // Of two that differ in their hosts alone, a document can only have one.
    if (Object.hasOwn(item, name) || !methods.has(name)) continue
    paths.set(path, { ...item, [name]: described })
  }
  return {
    openapi: '3.1.0',
    info: { title: 'API reference', version: '1' },
    servers: [{ url: publicOrigin }],
    tags: tagsOf(operations),
    paths: Object.fromEntries(paths),
    components,
  }
}

const methods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'])

/** As documents spell them. */
const stageNames: Readonly<Record<Stage, string>> = {
  'early-access': 'Early Access',
  preview: 'Preview',
  'limited-availability': 'Limited Availability',
  'generally-available': 'General Availability',
  deprecated: 'Deprecated',
  sunset: 'Sunset',
}

function timeOf(name: string, time: Date | undefined): Json {
  return time === undefined ? {} : { [name]: time.toISOString() }
}

function uniqueId(
  { operationId, group }: DocumentedOperation,
  taken: Set<string>,
): string | undefined {
  if (operationId === undefined) return undefined
  const prefixed = `${group.name.replaceAll(/[^A-Za-z0-9._-]/g, '-')}.${operationId}`
  const id = taken.has(operationId) ? prefixed : operationId
  if (taken.has(id)) return undefined
  taken.add(id)
  return id
}

/** Those of the operation in place of those of its path, and one for each part of the served path. */
function parametersOf(
  { template, group }: DocumentedOperation,
  { pathItem, operation }: Written,
  { copy }: Components,
): readonly unknown[] {
  const names = new Set(parameterNames(template))
  const found = new Map<string, unknown>()
  for (const owner of [pathItem, operation]) {
    for (const parameter of itemsAt(memberAt(owner, 'parameters'))) {
      const [place, name] = [valueAt(parameter, 'in'), valueAt(parameter, 'name')]
      if (typeof place !== 'string' || typeof name !== 'string') continue
      if (place === 'path' && !names.has(name)) continue
      found.set(`${place} ${name}`, copy(parameter, 'parameters', group.name))
    }
  }
  for (const name of names) {
    const schema = { type: 'string' }
    const plain = { name, in: 'path', required: true, schema }
    if (!found.has(`path ${name}`)) found.set(`path ${name}`, plain)
  }
  return [...found.values()]
}

/** Every operation has a response, and a response a description: documents in use forget them. */
function responsesOf(responses: unknown): Json {
  const entries = Object.entries(isObject(responses) ? responses : {})
  if (entries.length === 0) return { default: { description: '' } }
  return Object.fromEntries(
    entries.map(([status, response]) => [
      status,
      isObject(response) && response['$ref'] === undefined
        ? { description: '', ...response }
        : response,
    ]),
  )
}

/** Only where the group is not served under the origin itself. */
function serversOf(hosts: readonly string[], publicOrigin: string): Json {
  const { protocol, hostname } = new URL(publicOrigin)
  if (hosts.length === 0 || hosts.includes(hostname)) return {}
  const servers = hosts.map((host) => {
    const names = [...host.matchAll(/\{([^{}]+)\}/g)].flatMap(([, name]) => name ?? [])
    const variables = Object.fromEntries(names.map((name) => [name, { default: name }]))
    return { url: `${protocol}//${host}`, ...(names.length === 0 ? {} : { variables }) }
  })
  return { servers }
}

function tagsOf(operations: Described['operations']): readonly Json[] {
  const tags = new Map<string, Json>()
  for (const { operation, described } of operations) {
    const root: Cursor = rootOf(operation.source.document)
    const declared = itemsAt(memberAt(root, 'tags'))
    for (const name of itemsOf(described['tags']).flatMap((tag) => textOf(tag) ?? [])) {
      if (tags.has(name)) continue
      const tag = declared.find((each) => valueAt(each, 'name') === name)
      const description = textOf(memberOf(tag?.node, 'description'))
      tags.set(name, { name, ...(description === undefined ? {} : { description }) })
    }
  }
  return [...tags.values()]
}
