import type { Crn } from './crn.ts'

/** The name of an organization, which the names of all that it has begin with. */
export function organizationCrn(authority: string, id: string): Crn {
  return { authority, elements: [{ kind: 'organization', id }] }
}
