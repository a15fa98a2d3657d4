import { randomInt } from 'node:crypto'
import { GatewayError } from '../errors/gateway-error.ts'
import { recordChange, type Actor } from './audit.ts'
import type { Session } from './database.ts'
import type { Page } from './page.ts'
import { deleteKeysOfOwner } from './sql/api-keys.ts'
import {
  anyOrganization,
  deletePrincipalById,
  insertOrganization,
  insertServiceAccount,
  insertUser,
  lockPrincipal,
  pageOfOrganizations,
  pageOfPrincipals,
} from './sql/principals.ts'

export type NewOrganization = { readonly displayName: string }

export type NewUser = {
  readonly organizationId: string
  /** One user of an organization per address, whatever its case. */
  readonly email: string
  readonly displayName?: string
}

export type NewServiceAccount = {
  readonly organizationId: string
  /** One service account of an organization per name. */
  readonly displayName: string
  readonly description?: string
}

export type Organization = { readonly id: string; readonly displayName: string }

export type ListedPrincipal = {
  readonly kind: 'user' | 'service-account'
  readonly id: string
  readonly displayName: string
  readonly description: string
  /** Users have one, service accounts have none. */
  readonly email: string | undefined
}

/** Say whether there is no organization yet. */
export async function isEmpty(session: Session): Promise<boolean> {
  return (await session.query(anyOrganization)).length === 0
}

/** @throws {GatewayError} VALIDATION_FAILED, DIRECTORY_UNAVAILABLE */
export async function createOrganization(
  session: Session,
  { displayName }: NewOrganization,
  actor: Actor,
): Promise<{ id: string }> {
  const [organization] = await session.query(insertOrganization, displayName)
  if (organization === undefined) throw new Error('INSERT … RETURNING answered no row')
  await recordChange(session, actor, 'organization.created', organization.id, organization.id)
  return { id: organization.id }
}

/** @throws {GatewayError} CONFLICT, RESOURCE_NOT_FOUND, VALIDATION_FAILED, DIRECTORY_UNAVAILABLE */
export async function createUser(
  session: Session,
  { organizationId, email, displayName = '' }: NewUser,
  actor: Actor,
): Promise<{ id: string }> {
  const id = `u-${randomSuffix()}`
  await session.query(insertUser, id, organizationId, email, displayName)
  await recordChange(session, actor, 'user.created', organizationId, id)
  return { id }
}

/** @throws {GatewayError} CONFLICT, RESOURCE_NOT_FOUND, VALIDATION_FAILED, DIRECTORY_UNAVAILABLE */
export async function createServiceAccount(
  session: Session,
  { organizationId, displayName, description = '' }: NewServiceAccount,
  actor: Actor,
): Promise<{ id: string }> {
  const id = `sa-${randomSuffix()}`
  await session.query(insertServiceAccount, id, organizationId, displayName, description)
  await recordChange(session, actor, 'service-account.created', organizationId, id)
  return { id }
}

/**
 * Delete a user or a service account, and its keys with it.
 *
 * @returns the ids of the deleted keys
 * @throws {GatewayError} RESOURCE_NOT_FOUND, DIRECTORY_UNAVAILABLE
 */
export async function deletePrincipal(
  session: Session,
  principalId: string,
  actor: Actor,
): Promise<readonly string[]> {
  const [principal] = await session.query(lockPrincipal, principalId)
  if (principal === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  const { kind, organization_id: organizationId } = principal
  // The foreign key would delete the keys as well, but would not say which.
  const keyIds = (await session.query(deleteKeysOfOwner, principalId)).map(({ id }) => id)
  await session.query(deletePrincipalById, principalId)
  await recordChange(session, actor, 'api-key.deleted', organizationId, ...keyIds)
  await recordChange(session, actor, `${kind}.deleted`, organizationId, principalId)
  return keyIds
}

/** All organizations, in the order of their ids. */
export async function listOrganizations(
  session: Session,
  { after, limit }: Page,
): Promise<readonly Organization[]> {
  const rows = await session.query(pageOfOrganizations, after, limit)
  return rows.map((row) => ({ id: row.id, displayName: row.display_name }))
}

/** The users and service accounts of an organization, in the order of their ids. */
export async function listPrincipals(
  session: Session,
  organizationId: string,
  { after, limit }: Page,
): Promise<readonly ListedPrincipal[]> {
  const rows = await session.query(pageOfPrincipals, organizationId, after, limit)
  return rows.map(({ display_name: displayName, ...rest }) => ({ ...rest, displayName }))
}

const suffixAlphabet = '0123456789abcdefghijklmnopqrstuvwxyz'

/** Ten characters, 51 bits: short enough to read out; the primary key has the last word. */
function randomSuffix(): string {
  return Array.from({ length: 10 }, () => suffixAlphabet.charAt(randomInt(36))).join('')
}
