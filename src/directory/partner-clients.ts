import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import { generateSecret } from './credential-format.ts'
import type { Session, SqlValue } from './database.ts'
import { decided, type Check, type Edit } from './edit.ts'
import { oneRow } from './one-row.ts'
import { cursorOf, type Page } from './page.ts'
import type {
  ClientAuthMethod,
  PartnerClientRecord,
  PublicKeySet,
} from './partner-client-record.ts'
import type { SecretDigests } from './pepper.ts'
import { generateId } from './random-id.ts'
import { addSecondSecret, putFirstSecret, retireOlderSecret } from './secret-slots.ts'
import {
  countClients,
  deleteClientById,
  findListedClient,
  insertClient,
  lockClient,
  pageOfClients,
  updateClient,
  type ClientRow,
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
export type PartnerClientChanges = Partial<Described> & {
  readonly state?: PartnerClientRecord['state']
}

export type NewClientSecret = {
  readonly clientId: string
  /** When the other secret of the client ends, in ms since the epoch; absent: as before. */
  readonly otherExpiresAtMs?: number | undefined
}

/** A client as lists show it. Instants are milliseconds since the epoch. */
export type ListedPartnerClient = Omit<PartnerClientRecord, 'secrets' | 'partnerState'> & {
  readonly displayName: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Grows with every change; a new secret is none. */
  readonly version: number
}

/** A client that was made, and its secret: the only time that it is told. */
export type MadePartnerClient = {
  readonly id: string
  readonly secret: string | undefined
  readonly client: ListedPartnerClient
}

/** Which clients of a partner are listed; what is absent does not matter. */
export type PartnerClientFilter = { readonly displayName?: string | undefined }

/** The OAuth clients of partners. */
export type PartnerClients = {
  /**
   * Make a client. Its secret is in the answer and nowhere else; undefined where none of its
   * methods uses one.
   */
  readonly create: (client: NewPartnerClient, actor: Actor) => Promise<MadePartnerClient>
  readonly update: (
    id: string,
    edit: Edit<ListedPartnerClient, PartnerClientChanges>,
    actor: Actor,
  ) => Promise<ListedPartnerClient>
  /** Give a client a secret beside the one it may have. CONFLICT where two work already. */
  readonly addSecret: (
    secret: NewClientSecret,
    actor: Actor,
    check?: Check<ListedPartnerClient>,
  ) => Promise<{ readonly secret: string; readonly client: ListedPartnerClient }>
  /** Have the newer one of two secrets work alone. CONFLICT where fewer than two work. */
  readonly retireOlderSecret: (
    id: string,
    actor: Actor,
    check?: Check<ListedPartnerClient>,
  ) => Promise<ListedPartnerClient>
  readonly enable: (id: string, actor: Actor) => Promise<void>
  /** Refuse the client and its tokens until it is enabled again. */
  readonly disable: (id: string, actor: Actor) => Promise<void>
  readonly delete: (id: string, actor: Actor, check?: Check<ListedPartnerClient>) => Promise<void>
  readonly find: (id: string) => Promise<ListedPartnerClient | undefined>
  /** Those of a partner, in the order of their ids. */
  readonly list: (
    partnerId: string,
    page: Page,
    filter?: PartnerClientFilter,
  ) => Promise<readonly ListedPartnerClient[]>
  readonly count: (partnerId: string, filter?: PartnerClientFilter) => Promise<number>
}

/** Manage the clients of partners. */
export function managePartnerClients(
  session: Session,
  make: MakeChange,
  digests: SecretDigests,
): PartnerClients {
  return {
    create: (client, actor) => make(actor, (change) => create(change, digests, client)),
    update: (id, edit, actor) => make(actor, (change) => update(change, id, edit)),
    addSecret: (secret, actor, check) =>
      make(actor, (change) => addSecret(change, digests, secret, check)),
    retireOlderSecret: (id, actor, check) =>
      make(actor, (change) => retireSecret(change, id, check)),
    enable: (id, actor) => make(actor, (change) => setState(change, id, 'enabled')),
    disable: (id, actor) => make(actor, (change) => setState(change, id, 'disabled')),
    delete: (id, actor, check) => make(actor, (change) => remove(change, id, check)),
    find: async (id) => {
      const [row] = await session.query(findListedClient, id)
      return row && shown(row)
    },
    list: async (partnerId, page, { displayName } = {}) => {
      const rows = await session.query(pageOfClients, partnerId, displayName, ...cursorOf(page))
      return rows.map(shown)
    },
    count: async (partnerId, { displayName } = {}) =>
      oneRow(await session.query(countClients, partnerId, displayName)).total,
  }
}

/** 20 characters of the id are random, 103 bits: it is no secret, but nobody guesses it either. */
const idLength = 20

async function create(
  change: Change,
  digests: SecretDigests,
  client: NewPartnerClient,
): Promise<MadePartnerClient> {
  const id = generateId('client', idLength)
  const rows = await change.query(insertClient, id, client.partnerId, ...columnsOf(client))
  const after = shown(oneRow(rows))
  const needsSecret = client.authMethods.some((method) => method !== 'private_key_jwt')
  const secret = needsSecret ? generateSecret('partner-client') : undefined
  if (secret !== undefined) await putFirstSecret(change, partnerClientSecrets, digests, id, secret)
  await change.record('partner-client.created', undefined, { id, after })
  return { id, secret, client: after }
}

async function update(
  change: Change,
  id: string,
  edit: Edit<ListedPartnerClient, PartnerClientChanges>,
): Promise<ListedPartnerClient> {
  const before = await locked(change, id)
  const wanted = { ...before, ...decided(edit, before) }
  const rows = await change.query(updateClient, id, ...columnsOf(wanted), wanted.state)
  const after = shown(oneRow(rows))
  const what = after.state === before.state ? 'updated' : after.state
  await change.record(`partner-client.${what}`, undefined, { id, before, after })
  return after
}

async function addSecret(
  change: Change,
  digests: SecretDigests,
  { clientId, otherExpiresAtMs }: NewClientSecret,
  check?: Check<ListedPartnerClient>,
): Promise<{ readonly secret: string; readonly client: ListedPartnerClient }> {
  const client = await locked(change, clientId)
  check?.(client)
  const secret = generateSecret('partner-client')
  const slots = partnerClientSecrets
  await addSecondSecret(change, slots, digests, clientId, secret, otherExpiresAtMs)
  await change.record('partner-client.secret-added', undefined, clientId)
  return { secret, client }
}

async function retireSecret(
  change: Change,
  id: string,
  check?: Check<ListedPartnerClient>,
): Promise<ListedPartnerClient> {
  const client = await locked(change, id)
  check?.(client)
  await retireOlderSecret(change, partnerClientSecrets, id)
  await change.record('partner-client.secret-retired', undefined, id)
  return client
}

async function setState(
  change: Change,
  id: string,
  state: PartnerClientRecord['state'],
): Promise<void> {
  const before = await locked(change, id)
  if (before.state !== state) await update(change, id, { state })
}

async function remove(
  change: Change,
  id: string,
  check?: Check<ListedPartnerClient>,
): Promise<void> {
  const before = await locked(change, id)
  check?.(before)
  await change.query(deleteClientById, id)
  await change.record('partner-client.deleted', undefined, { id, before })
}

async function locked(change: Change, id: string): Promise<ListedPartnerClient> {
  const [row] = await change.query(lockClient, id)
  if (row === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  return shown(row)
}

/** In the order in which both statements take them. */
function columnsOf({ displayName, scopes, authMethods, jwks }: Described): readonly SqlValue[] {
  return [displayName, scopes, authMethods, jwks && JSON.stringify(jwks)]
}

function shown(row: ClientRow): ListedPartnerClient {
  return {
    id: row.id,
    partnerId: row.partner_id,
    displayName: row.display_name,
    scopes: row.scopes,
    authMethods: row.token_endpoint_auth_methods,
    jwks: row.jwks,
    state: row.state,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    version: row.version,
  }
}
