import { isObject, itemsOf, memberOf, membersOf, textOf } from '../catalog/json.ts'
import type { Json } from './json.ts'
import { html, paragraphs, type Html } from './html.ts'

/** How far within each other, and how many, members are listed: the document has them all. */
const maxDepth = 4
const maxMembers = 150

/** List what a schema is made of. Schemas that are within themselves end where they begin again. */
export function createListSchema(components: Json): (schema: unknown) => Html {
  return (schema) => {
    let left = maxMembers
    return list(schema, [])

    function list(written: unknown, within: readonly unknown[]): Html {
      const parts = partsOf(written)
      const members = parts.flatMap((part) => membersOf(memberOf(part, 'properties')))
      const required = new Set(parts.flatMap((part) => itemsOf(memberOf(part, 'required'))))
      const items = parts.map((part) => memberOf(part, 'items')).find(isObject)
      const alternatives = parts.flatMap((part) => [
        ...itemsOf(memberOf(part, 'oneOf')),
        ...itemsOf(memberOf(part, 'anyOf')),
      ])
      if (parts.some((part) => within.includes(part))) return html`<p class="note">As above.</p>`
      const further = [...within, ...parts]
      const isDeep = within.length > 0 && depthOf(within) >= maxDepth
      const isEmpty = members.length === 0 && items === undefined && alternatives.length === 0
      if (isEmpty) return html``
      if (isDeep || left <= 0) return html`<p class="note">More in /openapi.json.</p>`
      const mark = [...further, depthMark]
      return html`<ul>
        ${members.map(([name, member]) => entry(name, member, required.has(name), mark))}
        ${items === undefined ? undefined : entry('each item', items, false, mark)}
        ${alternatives.map((each) => entry('one of', each, false, mark))}
      </ul>`
    }

    function entry(
      name: string,
      schema: unknown,
      isRequired: boolean,
      within: readonly unknown[],
    ): Html {
      left -= 1
      if (left < 0) return html``
      const parts = partsOf(schema)
      const described = parts.map((part) => textOf(memberOf(part, 'description')))
      return html`<li>
        <code>${name}</code> ${typeOf(schema)}
        ${isRequired ? html`<strong>required</strong>` : undefined}
        ${paragraphs(described.find((text) => text !== undefined))} ${list(schema, within)}
      </li>`
    }
  }

  /** The schema that is meant, with what it is put together from. */
  function partsOf(schema: unknown, hops = 0): readonly unknown[] {
    if (hops > 20) return []
    const meant = resolved(components, schema)
    const all = itemsOf(memberOf(meant, 'allOf'))
    return [meant, ...all.flatMap((part) => partsOf(part, hops + 1))]
  }

  function typeOf(schema: unknown): Html {
    const parts = partsOf(schema)
    const first = (name: string): unknown =>
      parts.map((part) => memberOf(part, name)).find((value) => value !== undefined)
    const facts = facetNames.flatMap((name) => {
      const value = first(name)
      return value === undefined ? [] : [`${name}: ${shown(value)}`]
    })
    const type = first('type')
    const types = Array.isArray(type) ? type.map(String).join(' | ') : textOf(type)
    return html`<span class="note">${[types ?? '', ...facts].filter(Boolean).join(', ')}</span>`
  }
}

const depthMark = Symbol('one level within')

function depthOf(within: readonly unknown[]): number {
  return within.filter((each) => each === depthMark).length
}

const facetNames = [
  ...['format', 'enum', 'x-extensible-enum', 'const', 'default', 'pattern', 'readOnly'],
  ...['writeOnly', 'deprecated', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  ...['minLength', 'maxLength', 'minItems', 'maxItems', 'multipleOf'],
]

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.slice(0, 50).map(shown).join(' | ')
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

/** What stands in the place of a node of a document that is made here. */
export function resolved(components: Json, node: unknown): unknown {
  let current = node
  for (let hops = 0; hops < 20; hops += 1) {
    const [, kind, name] = /^#\/components\/([^/]+)\/([^/]+)$/.exec(refOf(current)) ?? []
    if (kind === undefined || name === undefined) return current
    current = memberOf(memberOf(components, kind), name)
  }
  return undefined
}

function refOf(node: unknown): string {
  return textOf(memberOf(node, '$ref')) ?? ''
}
