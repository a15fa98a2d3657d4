import { definitionOf, itemsAt, memberAt, namesAt, type Cursor } from '../catalog/cursor.ts'
import { isObject, memberOf, membersOf, textOf } from '../catalog/json.ts'
import { grammar, isShown, type ComponentKind, type Kind } from './grammar.ts'
import type { Json } from './json.ts'
import { upgraded } from './upgraded-schema.ts'

/** Copies out of documents, and what the copies refer to. */
export type Components = {
  /** Copy a node as OpenAPI 3.1; undefined where its reference leads nowhere. */
  readonly copy: (cursor: Cursor, kind: Kind, group: string) => unknown
  /** Add a component that is made elsewhere, and say how it is called. */
  readonly add: (kind: ComponentKind, name: string, group: string, value: Json) => string
  /** As the `components` of a document. */
  readonly all: () => Json
}

/**
 * Collect what operations of several documents refer to under one `components`. The same place of
 * the same file is one component. Where two would have one name, the later gets that of its group
 * in front.
 */
export function collectComponents(): Components {
  const byKind = new Map<ComponentKind, Map<string, unknown>>()
  const namesByPlace = new Map<string, string>()
  return { copy, add, all }

  function add(kind: ComponentKind, name: string, group: string, value: Json): string {
    const known = tableOf(kind)
    const isSame = (candidate: string): boolean =>
      known.has(candidate) && JSON.stringify(known.get(candidate)) === JSON.stringify(value)
    const plain = nameable(name)
    const prefixed = nameable(`${group}.${name}`)
    const same = [plain, prefixed].find(isSame)
    if (same !== undefined) return same
    const free = freeName(kind, name, group)
    known.set(free, value)
    return free
  }

  function copy(cursor: Cursor, kind: Kind, group: string): unknown {
    if (typeof cursor.node === 'boolean' && kind === 'schemas') return cursor.node
    if (!isObject(cursor.node)) return undefined
    if (textOf(cursor.node['$ref']) === undefined) return copyMembers(cursor, kind, group)
    const target = definitionOf(cursor)
    // A schema that nobody wrote is one that says nothing.
    if (memberOf(target.node, '$ref') !== undefined) return kind === 'schemas' ? {} : undefined
    if (!isComponent(kind)) return copyMembers(target, kind, group)
    const reference = { $ref: `#/components/${kind}/${componentAt(target, kind, group)}` }
    const beside = cursor.document.version === '3.0' ? {} : besides(cursor, kind, group)
    return { ...beside, ...reference }
  }

  /** Members beside a reference: of a schema they hold too; elsewhere two texts may stand there. */
  function besides(cursor: Cursor, kind: Kind, group: string): Json {
    const own = membersOf(cursor.node).filter(
      ([name]) => name !== '$ref' && (kind === 'schemas' || /^(?:summary|description)$/.test(name)),
    )
    const node = Object.fromEntries(own)
    return copyMembers({ ...cursor, node }, kind, group)
  }

  function componentAt(target: Cursor, kind: ComponentKind, group: string): string {
    const { document, root, pointer } = target
    const place = `${document.version} ${kind} ${document.fileOf(root) ?? ''}#${pointer}`
    const known = namesByPlace.get(place)
    if (known !== undefined) return known
    const name = freeName(kind, unescaped(pointer.split('/').at(-1) ?? ''), group)
    namesByPlace.set(place, name)
    // Its place is taken before it is copied, since it may lead back to itself.
    tableOf(kind).set(name, {})
    tableOf(kind).set(name, copyMembers(target, kind, group))
    return name
  }

  function copyMembers(cursor: Cursor, kind: Kind, group: string): Json {
    const copied: [string, unknown][] = []
    for (const name of namesAt(cursor)) {
      const member = memberAt(cursor, name)
      if (member === undefined || !isShown(kind, name)) continue
      const value = copyMember(member, kind, name, group)
      if (value !== undefined) copied.push([name, value])
    }
    // Names are the author's: `__proto__` must be one like any other.
    const node: Json = Object.fromEntries(copied)
    if (kind !== 'schemas') return node
    return upgraded(withMapping(node, cursor, group), cursor.document.version === '3.0')
  }

  function copyMember(member: Cursor, kind: Kind, name: string, group: string): unknown {
    const rule = Object.hasOwn(grammar[kind], name) ? grammar[kind][name] : undefined
    if (rule === undefined) return member.node
    const [shape, inner] = rule
    if (shape === 'one') return copy(member, inner, group)
    if (shape === 'list') return itemsAt(member).flatMap((item) => copy(item, inner, group) ?? [])
    const entries = namesAt(member)
      .filter((each) => kind === 'schemas' || !each.startsWith('x-'))
      .flatMap((each) => {
        const entry = memberAt(member, each)
        const value = entry && copy(entry, inner, group)
        return value === undefined ? [] : [[each, value] as const]
      })
    return Object.fromEntries(entries)
  }

  /** The values of a mapping refer to schemas, by pointer or by name. */
  function withMapping(node: Json, cursor: Cursor, group: string): Json {
    const mapping = memberOf(node['discriminator'], 'mapping')
    if (!isObject(mapping)) return node
    const schemas = ['components', 'schemas'].reduce<Cursor | undefined>(
      (at, name) => at && memberAt(at, name),
      { ...cursor, pointer: '', node: cursor.root },
    )
    const entries = membersOf(mapping).flatMap(([value, written]) => {
      const name = unescaped(String(written).replace('#/components/schemas/', ''))
      const schema = schemas && memberAt(schemas, name)
      if (schema === undefined) return []
      const target = componentAt(definitionOf(schema), 'schemas', group)
      return [[value, `#/components/schemas/${target}`] as const]
    })
    const discriminator = { propertyName: memberOf(node['discriminator'], 'propertyName') }
    return { ...node, discriminator: { ...discriminator, mapping: Object.fromEntries(entries) } }
  }

  function freeName(kind: ComponentKind, name: string, group: string): string {
    const known = tableOf(kind)
    const [plain, prefixed] = [nameable(name), nameable(`${group}.${name}`)]
    if (!known.has(plain)) return plain
    if (!known.has(prefixed)) return prefixed
    for (let number = 2; ; number += 1) {
      if (!known.has(`${prefixed}.${number}`)) return `${prefixed}.${number}`
    }
  }

  function tableOf(kind: ComponentKind): Map<string, unknown> {
    const table = byKind.get(kind) ?? new Map<string, unknown>()
    byKind.set(kind, table)
    return table
  }

  function all(): Json {
    return Object.fromEntries([...byKind].map(([kind, table]) => [kind, Object.fromEntries(table)]))
  }
}

function isComponent(kind: Kind): kind is ComponentKind {
  return kind !== 'operation' && kind !== 'mediaType' && kind !== 'encoding'
}

/** Names of components are made of these characters alone (OpenAPI 3.1.1 §4.8.7). */
function nameable(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]/g, '-') || 'unnamed'
}

function unescaped(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}
