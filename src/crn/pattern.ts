import { crnParts, elementOf, type Crn, type CrnElement } from './crn.ts'
import { decodeId } from './element-id.ts'

/** Resources that something holds for: one and all that is within it, or many of one beginning. */
export type CrnPattern = {
  readonly authority: string
  /** The elements that a name begins with. */
  readonly elements: readonly CrnElement[]
  /** What the element behind these is: of a kind, with an id that begins so; undefined: anything. */
  readonly open: { readonly kind: string; readonly idPrefix: string } | undefined
}

/**
 * Read a pattern: a CRN, whose last id may end with a star, or whose last segment may be a star
 * alone. A star anywhere else is refused.
 *
 * @returns undefined where the text is no pattern
 */
export function parsePattern(text: string): CrnPattern | undefined {
  const parts = crnParts(text)
  const last = parts?.segments.at(-1)
  if (parts === undefined || last === undefined) return undefined
  const isOpen = last.endsWith('*')
  const segments = isOpen ? parts.segments.slice(0, -1) : parts.segments
  const elements = segments.map(elementOf)
  if (!elements.every((element) => element !== undefined)) return undefined
  if (!isOpen || last === '*') {
    if (elements.length === 0) return undefined
    return { authority: parts.authority, elements, open: undefined }
  }
  const open = openElement(last)
  return open && { authority: parts.authority, elements, open }
}

/**
 * Say whether a resource is one that a pattern means, or within one. A kind has to be the same; an
 * id is compared byte by byte, once decoded.
 */
export function matches(pattern: CrnPattern, { authority, elements }: Crn): boolean {
  if (pattern.authority !== authority) return false
  const isPrefix = pattern.elements.every(({ kind, id }, index) => {
    const element = elements[index]
    return element?.kind === kind && element.id === id
  })
  if (!isPrefix || pattern.open === undefined) return isPrefix
  const next = elements[pattern.elements.length]
  return next?.kind === pattern.open.kind && next.id.startsWith(pattern.open.idPrefix)
}

/** `kind=prefix*`, where the prefix may be empty. */
function openElement(segment: string): CrnPattern['open'] {
  const [, kind, encoded] = /^([a-z][a-z0-9-]*)=([^=*]*)\*$/.exec(segment) ?? []
  const idPrefix = encoded === undefined ? undefined : decodeId(encoded)
  return kind === undefined || idPrefix === undefined ? undefined : { kind, idPrefix }
}
