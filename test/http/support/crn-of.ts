/** The name of an organization. */
export function crnOf(organizationId: string): string {
  return `crn://confluent.cloud/organization=${organizationId}`
}
