import { createApiKey } from './api-keys.ts'
import type { Actor } from './audit.ts'
import type { Session } from './database.ts'
import type { SecretDigests } from './pepper.ts'
import { createOrganization, createUser, isEmpty } from './principals.ts'
import { lockBootstrap } from './sql/principals.ts'

export type FirstUser = {
  readonly organizationName: string
  readonly userEmail: string
  readonly userName?: string
}

export type Bootstrapped = {
  readonly organizationId: string
  readonly userId: string
  readonly apiKey: { readonly id: string; readonly secret: string }
}

/**
 * Make the first organization, its first user and a cloud API key, in a directory without any.
 * Of several processes that do it at once, one makes them.
 *
 * @returns undefined where the directory is not empty
 * @throws {GatewayError} VALIDATION_FAILED, DIRECTORY_UNAVAILABLE
 */
export async function bootstrap(
  session: Session,
  digests: SecretDigests,
  { organizationName, userEmail, userName = '' }: FirstUser,
  actor: Actor,
): Promise<Bootstrapped | undefined> {
  await session.query(lockBootstrap)
  if (!(await isEmpty(session))) return undefined
  const organization = await createOrganization(session, { displayName: organizationName }, actor)
  const newUser = {
    organizationId: organization.id,
    email: userEmail,
    displayName: userName,
  }
  const user = await createUser(session, newUser, actor)
  const key = { ownerId: user.id, resource: { kind: 'cloud' }, displayName: 'First key' } as const
  const apiKey = await createApiKey(session, digests, key, actor)
  return { organizationId: organization.id, userId: user.id, apiKey }
}
