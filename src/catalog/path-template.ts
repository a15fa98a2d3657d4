import {
  compareSegments,
  isWholeParameter,
  parseSegment,
  segmentCovers,
  segmentsOverlap,
  shapeOf,
  valuesIn,
  type Segment,
} from './segment.ts'

/** A path with parameters, in the form in which canonical request paths are compared with it. */
export type PathTemplate = {
  /** As it was written. */
  readonly text: string
  readonly segments: readonly Segment[]
  /** The same for two templates that match the same paths, whatever their parameters are called. */
  readonly shape: string
}

/** Values by parameter name; it has no prototype, so that only parameters are found in it. */
export type PathParameters = Readonly<Record<string, string>>

/**
 * Parse a path template.
 *
 * Literal text is brought into canonical form: what cannot stand in a path is percent-encoded,
 * encoded unreserved characters are decoded, hex digits are upper case (RFC 3986 §6.2.2).
 *
 * @param text begins with a slash; parameters stand in braces and lie within one segment
 * @returns undefined where braces are not in pairs within a segment
 * @see OpenAPI 3.1.1 §4.8.8.2 (Path Templating)
 */
export function parsePathTemplate(text: string): PathTemplate | undefined {
  if (!/^(?:\/(?:[^{}/]|\{[^{}/]*\})*)+$/.test(text)) return undefined
  const segments = text.slice(1).split('/').map(parseSegment)
  return { text, segments, shape: segments.map((segment) => `/${shapeOf(segment)}`).join('') }
}

/** The names of the parameters in the order of the path, repeated ones too. */
export function parameterNames({ segments }: PathTemplate): readonly string[] {
  return segments.flatMap(({ names }) => names)
}

/** Whether a canonical path is one of the template's. */
export function matches({ segments }: PathTemplate, path: string): boolean {
  const texts = path.slice(1).split('/')
  if (texts.length !== segments.length) return false
  return segments.every((segment, index) => valuesIn(segment, texts[index] ?? '') !== undefined)
}

/**
 * The values of a template's parameters, as they stand in the path: nothing is decoded.
 *
 * @param path canonical, and one that the template matches
 */
export function parametersIn({ segments }: PathTemplate, path: string): PathParameters {
  const parameters: Record<string, string> = new ParameterValues()
  let start = 1
  for (const segment of segments) {
    const slash = path.indexOf('/', start)
    const end = slash === -1 ? path.length : slash
    if (isWholeParameter(segment)) {
      parameters[segment.names[0] ?? ''] = path.slice(start, end)
    } else if (segment.names.length > 0) {
      const values = valuesIn(segment, path.slice(start, end))
      segment.names.forEach((name, index) => (parameters[name] = values?.[index] ?? ''))
    }
    start = end + 1
  }
  return parameters
}

/**
 * Nothing is inherited: a parameter that is absent must not turn out to be `constructor`. An instance
 * of this is as small and fast as any object; one made by `Object.create(null)` is a hash table.
 */
class ParameterValues {
  [name: string]: string
}
Object.setPrototypeOf(ParameterValues.prototype, null)
Reflect.deleteProperty(ParameterValues.prototype, 'constructor')

export const noParameters: PathParameters = Object.freeze(new ParameterValues())

/** Whether every path that `special` matches is matched by `general` too. */
export function covers(general: PathTemplate, special: PathTemplate): boolean {
  if (general.segments.length !== special.segments.length) return false
  return general.segments.every((segment, index) => {
    const other = special.segments[index]
    return other !== undefined && segmentCovers(segment, other)
  })
}

/** Whether some path is matched by both; said in doubt, too. */
export function overlaps(a: PathTemplate, b: PathTemplate): boolean {
  if (a.segments.length !== b.segments.length) return false
  return a.segments.every((segment, index) => {
    const other = b.segments[index]
    return other !== undefined && segmentsOverlap(segment, other)
  })
}

/**
 * Order templates so that the most specific of those that match a path comes first: segment by
 * segment from the left, literal text before text with parameters before a whole parameter.
 *
 * @see OpenAPI 3.1.1 §4.8.8 (concrete paths before templated ones)
 */
export function bySpecificity(a: PathTemplate, b: PathTemplate): number {
  const length = Math.min(a.segments.length, b.segments.length)
  for (let index = 0; index < length; index += 1) {
    const [segment, other] = [a.segments[index], b.segments[index]]
    const order = segment && other ? compareSegments(segment, other) : 0
    if (order !== 0) return order
  }
  return a.segments.length - b.segments.length
}
