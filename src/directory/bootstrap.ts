import { createApiKey } from './api-keys.ts'
import type { Change } from './change.ts'
import { createOrganization, isEmpty, type Organization } from './organizations.ts'
import type { SecretDigests } from './pepper.ts'
import { createUser } from './principals.ts'
import { createRoleBinding } from './role-bindings.ts'
import { lockBootstrap } from './sql/organizations.ts'

export type FirstUser = {
  readonly organizationName: string
  readonly userEmail: string
  readonly userName?: string
  /** Authority of the organization's name, on which the user gets the role. */
  readonly crnAuthority?: string
}

export type Bootstrapped = {
  readonly organizationId: string
  readonly userId: string
  readonly apiKey: { readonly id: string; readonly secret: string }
}

/** A new organization, and what its administrator begins with. */
export type MadeTenant = Omit<Bootstrapped, 'organizationId'> & {
  readonly organization: Organization
}

/** Holds every operation, unless the configuration says otherwise. */
const administrator = 'OrganizationAdmin'

/**
 * Make the first organization, its administrator and a cloud API key, in a directory without any.
 * Of several processes that do it at once, one makes them.
 *
 * @returns undefined where the directory is not empty
 * @throws {GatewayError} VALIDATION_FAILED, DIRECTORY_UNAVAILABLE
 */
export async function bootstrap(
  change: Change,
  digests: SecretDigests,
  first: FirstUser,
): Promise<Bootstrapped | undefined> {
  await change.query(lockBootstrap)
  if (!(await isEmpty(change))) return undefined
  const { organization, userId, apiKey } = await makeTenant(change, digests, first)
  return { organizationId: organization.id, userId, apiKey }
}

/**
 * Make an organization, its administrator and a cloud API key.
 *
 * @throws {GatewayError} VALIDATION_FAILED, DIRECTORY_UNAVAILABLE
 */
export async function makeTenant(
  change: Change,
  digests: SecretDigests,
  { organizationName, userEmail, userName = '', crnAuthority = 'confluent.cloud' }: FirstUser,
): Promise<MadeTenant> {
  const organization = await createOrganization(change, { displayName: organizationName })
  const newUser = {
    organizationId: organization.id,
    email: userEmail,
    displayName: userName,
  }
  const user = await createUser(change, newUser)
  await createRoleBinding(change, {
    organizationId: organization.id,
    principalId: user.id,
    role: administrator,
    crnPattern: `crn://${crnAuthority}/organization=${organization.id}`,
  })
  const key = { ownerId: user.id, resource: { kind: 'cloud' }, displayName: 'First key' } as const
  const apiKey = await createApiKey(change, digests, key)
  return { organization, userId: user.id, apiKey }
}
