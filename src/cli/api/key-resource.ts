/**
 * What an API key is to open, as bodies name it (`spec.resource`).
 *
 * @param text `cloud`, `global`, an id whose kind its prefix tells, `KIND:ID`, or `KIND:ID@ENVIRONMENT`
 */
export function keyResourceOf(text: string): object | null {
  if (text === 'cloud') return null
  if (text === 'global') return { id: 'global', kind: 'Global' }
  const [, kind, id, environment] = /^([A-Za-z][A-Za-z0-9-]*):([^@]+)(?:@(.+))?$/.exec(text) ?? []
  if (kind === undefined || id === undefined) return { id: text }
  return { id, kind, ...(environment === undefined ? {} : { environment: { id: environment } }) }
}
