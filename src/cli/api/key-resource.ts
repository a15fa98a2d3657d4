import { namedResource } from '../named-resource.ts'

/**
 * What an API key is to open, as bodies name it (`spec.resource`).
 *
 * @param text `cloud`, `global`, an id whose kind its prefix tells, `KIND:ID`, or `KIND:ID@ENVIRONMENT`
 */
export function keyResourceOf(text: string): object | null {
  if (text === 'cloud') return null
  if (text === 'global') return { id: 'global', kind: 'Global' }
  const named = namedResource(text)
  if (named === undefined) return { id: text }
  const { kind, id, environment } = named
  return { id, kind, ...(environment === undefined ? {} : { environment: { id: environment } }) }
}
