import { itemsOf, textOf } from '../json.ts'
import { became, type Change } from './change.ts'
import {
  definitionOf,
  itemsAt,
  memberAt,
  namesAt,
  rootOf,
  valueAt,
  type Cursor,
} from '../cursor.ts'
import type { ComparedOperation } from './operations.ts'

/** Whatever opened an operation must still do, presented as before. */
export function compareCredentials(
  before: ComparedOperation,
  after: ComparedOperation,
): readonly Change[] {
  const next = alternativesOf(after.security)
  return alternativesOf(before.security).flatMap((alternative) => {
    const place = after.security ?? after.at
    if (!next.some((other) => opens(alternative, other))) {
      const names = [...alternative.keys()].join(' & ') || 'no credential'
      return [became('security-narrowed', place, `${names} does not open it any more`)]
    }
    return [...alternative.keys()].flatMap((name) => schemeChanges(name, before, after))
  })
}

/** Scopes by scheme name. */
type Alternative = ReadonlyMap<string, readonly unknown[]>

/** Nothing declared, and an empty list, are open to all. */
function alternativesOf(security: Cursor | undefined): readonly Alternative[] {
  const alternatives = itemsAt(security).map(
    (each) => new Map(namesAt(each).map((name) => [name, itemsOf(valueAt(each, name))] as const)),
  )
  return alternatives.length === 0 ? [new Map()] : alternatives
}

/** Who satisfies the one satisfies the other: it asks for no further scheme or scope. */
function opens(one: Alternative, other: Alternative): boolean {
  return [...other].every(([name, scopes]) => {
    const held = one.get(name)
    return held !== undefined && scopes.every((scope) => held.includes(scope))
  })
}

function schemeChanges(
  name: string,
  before: ComparedOperation,
  after: ComparedOperation,
): readonly Change[] {
  const [old, next] = [schemeOf(name, before), schemeOf(name, after)]
  if (old === undefined || next === undefined) return []
  return ['type', 'scheme', 'in', 'name'].flatMap((keyword) => {
    const [from, to] = [textOf(valueAt(old, keyword)), textOf(valueAt(next, keyword))]
    // The names of HTTP schemes know no case (RFC 9110 §11.1).
    if (from?.toLowerCase() === to?.toLowerCase()) return []
    return [became('scheme-changed', next, `"${keyword}" of ${name} is another`)]
  })
}

function schemeOf(name: string, { at: { document } }: ComparedOperation): Cursor | undefined {
  const components = memberAt(rootOf(document), 'components')
  const schemes = components && memberAt(components, 'securitySchemes')
  const scheme = schemes && memberAt(schemes, name)
  return scheme && definitionOf(scheme)
}
