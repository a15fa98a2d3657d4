import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import { generateSecret } from './credential-format.ts'
import type { Session, SqlValue } from './database.ts'
import type { Page } from './page.ts'
import type {
  ClientAuthMethod,
  PartnerClientRecord,
  PublicKeySet,
} from './partner-client-record.ts'
import type { SecretDigests } from './pepper.ts'
import { generateId } from './random-id.ts'
import { addSecondSecret, putFirstSecret } from './secret-slots.ts'
import {
  deleteClientById,
  insertClient,
  lockClient,
  pageOfClients,
  setClientState,
  updateClient,
  type LockedClient,
} from './sql/partner-clients.ts'
import { partnerClientSecrets } from './sql/secret-slots.ts'

/** What is said of a client; see PartnerClientRecord. */
type Described = {
  readonly displayName: string
  readonly scopes: readonly string[]
  readonly authMethods: readonly ClientAuthMethod[]
  /** Public keys only; needed for `private_key_jwt`. */
  readonly jwks?: PublicKeySet | undefined
}

export type NewPartnerClient = Described & { readonly partnerId: string }

/** What is absent stays as it is; `jwks: undefined` takes the keys away. */
export type PartnerClientChanges = Partial<Described>

export type NewClientSecret = {
  readonly clientId: string
  /** When the other secret of the client ends, in ms since the epoch; absent: as before. */
  readonly otherExpiresAtMs?: number
}

/** A client as lists show it. Instants are milliseconds since the epoch. */
export type ListedPartnerClient = Omit<PartnerClientRecord, 'secrets' | 'partnerState'> & {
  readonly displayName: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** The OAuth clients of partners. */
export type PartnerClients = {
  /**
   * Make a client. Its secret is in the answer and nowhere else; undefined where none of its
   * methods uses one.
   */
  readonly create: (
    client: NewPartnerClient,
    actor: Actor,
  ) => Promise<{ id: string; secret: string | undefined }>
  readonly update: (id: string, changes: PartnerClientChanges, actor: Actor) => Promise<void>
  /** Give a client a secret beside the one it may have. CONFLICT where two work already. */
  readonly addSecret: (secret: NewClientSecret, actor: Actor) => Promise<{ secret: string }>
  readonly enable: (id: string, actor: Actor) => Promise<void>
  /** Refuse the client and its tokens until it is enabled again. */
  readonly disable: (id: string, actor: Actor) => Promise<void>
  readonly delete: (id: string, actor: Actor) => Promise<void>
  /** Those of a partner, in the order of their ids. */
  readonly list: (partnerId: string, page: Page) => Promise<readonly ListedPartnerClient[]>
}

/** Manage the clients of partners. */
export function managePartnerClients(
  session: Session,
  make: MakeChange,
  digests: SecretDigests,
): PartnerClients {
  return {
    create: (client, actor) => make(actor, (change) => create(change, digests, client)),
    update: (id, changes, actor) => make(actor, (change) => update(change, id, changes)),
    addSecret: (secret, actor) => make(actor, (change) => addSecret(change, digests, secret)),
    enable: (id, actor) => make(actor, (change) => setState(change, id, 'enabled')),
    disable: (id, actor) => make(actor, (change) => setState(change, id, 'disabled')),
    delete: (id, actor) => make(actor, (change) => remove(change, id)),
    list: (partnerId, page) => list(session, partnerId, page),
  }
}

/** 20 characters of the id are random, 103 bits: it is no secret, but nobody guesses it either. */
const idLength = 20

async function create(
  change: Change,
  digests: SecretDigests,
  client: NewPartnerClient,
): Promise<{ id: string; secret: string | undefined }> {
  const id = generateId('client', idLength)
  await change.query(insertClient, id, client.partnerId, ...columnsOf(client))
  const needsSecret = client.authMethods.some((method) => method !== 'private_key_jwt')
  const secret = needsSecret ? generateSecret('partner-client') : undefined
  if (secret !== undefined) await putFirstSecret(change, partnerClientSecrets, digests, id, secret)
  await change.record('partner-client.created', undefined, id)
  return { id, secret }
}

async function update(change: Change, id: string, changes: PartnerClientChanges): Promise<void> {
  const before = shown(await locked(change, id))
  await change.query(updateClient, id, ...columnsOf({ ...before, ...changes }))
  await change.record('partner-client.updated', undefined, id)
}

async function addSecret(
  change: Change,
  digests: SecretDigests,
  { clientId, otherExpiresAtMs }: NewClientSecret,
): Promise<{ secret: string }> {
  await locked(change, clientId)
  const secret = generateSecret('partner-client')
  const slots = partnerClientSecrets
  await addSecondSecret(change, slots, digests, clientId, secret, otherExpiresAtMs)
  await change.record('partner-client.secret-added', undefined, clientId)
  return { secret }
}

async function setState(
  change: Change,
  id: string,
  state: PartnerClientRecord['state'],
): Promise<void> {
  const before = await locked(change, id)
  if (before.state === state) return
  await change.query(setClientState, id, state)
  await change.record(`partner-client.${state}`, undefined, id)
}

async function remove(change: Change, id: string): Promise<void> {
  await locked(change, id)
  await change.query(deleteClientById, id)
  await change.record('partner-client.deleted', undefined, id)
}

async function locked(change: Change, id: string): Promise<LockedClient> {
  const [row] = await change.query(lockClient, id)
  if (row === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  return row
}

/** In the order in which both statements take them. */
function columnsOf({ displayName, scopes, authMethods, jwks }: Described): readonly SqlValue[] {
  return [displayName, scopes, authMethods, jwks && JSON.stringify(jwks)]
}

async function list(
  session: Session,
  partnerId: string,
  { after, limit }: Page,
): Promise<readonly ListedPartnerClient[]> {
  const rows = await session.query(pageOfClients, partnerId, after, limit)
  return rows.map((row) => ({
    ...shown(row),
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  }))
}

function shown(row: LockedClient): Omit<ListedPartnerClient, 'createdAtMs' | 'updatedAtMs'> {
  return {
    id: row.id,
    partnerId: row.partner_id,
    displayName: row.display_name,
    scopes: row.scopes,
    authMethods: row.token_endpoint_auth_methods,
    jwks: row.jwks,
    state: row.state,
  }
}
