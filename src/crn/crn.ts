import { decodeId, encodeId } from './element-id.ts'

/** One step of a resource's place: the kind and the id of a resource within the one before. */
export type CrnElement = { readonly kind: string; readonly id: string }

/** The name of a resource, unique among all: where it is, from the outermost to itself. */
export type Crn = {
  /** Whose names these are: a host, with a port or not; empty where that is left open. */
  readonly authority: string
  /** At least one. */
  readonly elements: readonly CrnElement[]
}

/** Longer texts are no names. */
export const maxCrnLength = 4_096

/**
 * Read `crn://authority/kind=id/kind=id…`. Ids are percent-decoded. Empty segments are passed over,
 * since some names are written with a double slash; `formatCrn` writes them without.
 *
 * @returns undefined where the text is no CRN
 * @see RFC 3986 §3
 */
export function parseCrn(text: string): Crn | undefined {
  const parts = crnParts(text)
  const elements = parts?.segments.map(elementOf)
  if (parts === undefined || elements === undefined || elements.length === 0) return undefined
  if (!elements.every((element) => element !== undefined)) return undefined
  return { authority: parts.authority, elements }
}

/** Write a CRN. Whatever is not unreserved in an id is percent-encoded (RFC 3986 §2.3). */
export function formatCrn({ authority, elements }: Crn): string {
  return [`crn://${authority}`, ...elements.map(formatElement)].join('/')
}

/** The CRN of something within a resource. */
export function within(crn: Crn, kind: string, id: string): Crn {
  return { ...crn, elements: [...crn.elements, { kind, id }] }
}

/** Authority and segments of a CRN or of a pattern; undefined where the text is neither. */
export function crnParts(
  text: string,
): { readonly authority: string; readonly segments: readonly string[] } | undefined {
  if (text.length > maxCrnLength) return undefined
  const [, authority, path] = /^crn:\/\/([A-Za-z0-9._-]*(?::[0-9]{1,5})?)\/(.+)$/.exec(text) ?? []
  if (authority === undefined || path === undefined) return undefined
  return { authority, segments: path.split('/').filter((segment) => segment !== '') }
}

/** `kind=id`; undefined where a segment is not that. */
export function elementOf(segment: string): CrnElement | undefined {
  const [, kind, encoded] = /^([a-z][a-z0-9-]*)=([^=*]+)$/.exec(segment) ?? []
  const id = encoded === undefined ? undefined : decodeId(encoded)
  return kind === undefined || id === undefined || id === '' ? undefined : { kind, id }
}

/** An element as a segment. */
export function formatElement({ kind, id }: CrnElement): string {
  return `${kind}=${encodeId(id)}`
}
