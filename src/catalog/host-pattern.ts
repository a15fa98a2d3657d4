import { covers, overlaps, parsePathTemplate, type PathTemplate } from './path-template.ts'

/** How the hosts of two patterns lie to each other; undefined stands for any host. */
export type HostRelation = 'same' | 'narrower' | 'wider' | 'crossing' | 'disjoint'

/**
 * Parse a host name in which `{name}` stands for a label, as a path template: labels are its
 * segments, from the top-level domain on, so that specificity is decided from the left there too.
 *
 * @param text in lower case, but for the names of parameters
 * @returns undefined where it is not such a pattern
 */
export function parseHostPattern(text: string): PathTemplate | undefined {
  return text.includes('/') ? undefined : parsePathTemplate(hostAsPath(text))
}

/** @param host in lower case, without a port */
export function hostAsPath(host: string): string {
  return `/${host.split('.').toReversed().join('/')}`
}

export function relateHosts(
  a: PathTemplate | undefined,
  b: PathTemplate | undefined,
): HostRelation {
  if (a?.shape === b?.shape) return 'same'
  if (a === undefined) return 'wider'
  if (b === undefined || covers(b, a)) return 'narrower'
  if (covers(a, b)) return 'wider'
  return overlaps(a, b) ? 'crossing' : 'disjoint'
}
