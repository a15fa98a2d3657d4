import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import type { Page } from './page.ts'
import { generateId } from './random-id.ts'
import {
  clientsOfPartner,
  deletePartnerById,
  insertPartner,
  lockPartner,
  pageOfPartners,
  setPartnerState,
  updatePartner,
} from './sql/partners.ts'

export type NewPartner = { readonly displayName: string }

/** What is absent stays as it is. */
export type PartnerChanges = Partial<NewPartner>

/** A partner as lists show it. Instants are milliseconds since the epoch. */
export type ListedPartner = {
  readonly id: string
  readonly displayName: string
  readonly state: 'enabled' | 'disabled'
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** Those who act for many organizations and belong to none, through OAuth clients. */
export type Partners = {
  readonly create: (partner: NewPartner, actor: Actor) => Promise<{ id: string }>
  readonly update: (id: string, changes: PartnerChanges, actor: Actor) => Promise<void>
  readonly enable: (id: string, actor: Actor) => Promise<void>
  /** Refuse all its clients until it is enabled again. */
  readonly disable: (id: string, actor: Actor) => Promise<void>
  /** Delete a partner and its clients. */
  readonly delete: (id: string, actor: Actor) => Promise<void>
  /** All of them, in the order of their ids. */
  readonly list: (page: Page) => Promise<readonly ListedPartner[]>
}

/** Manage partners. */
export function managePartners(session: Session, make: MakeChange): Partners {
  return {
    create: (partner, actor) => make(actor, (change) => create(change, partner)),
    update: (id, changes, actor) => make(actor, (change) => update(change, id, changes)),
    enable: (id, actor) => make(actor, (change) => setState(change, id, 'enabled')),
    disable: (id, actor) => make(actor, (change) => setState(change, id, 'disabled')),
    delete: (id, actor) => make(actor, (change) => remove(change, id)),
    list: (page) => list(session, page),
  }
}

async function create(change: Change, { displayName }: NewPartner): Promise<{ id: string }> {
  const id = generateId('partner')
  await change.query(insertPartner, id, displayName)
  await change.record('partner.created', undefined, id)
  return { id }
}

async function update(change: Change, id: string, changes: PartnerChanges): Promise<void> {
  const before = await locked(change, id)
  await change.query(updatePartner, id, changes.displayName ?? before.displayName)
  await change.record('partner.updated', undefined, id)
}

async function setState(change: Change, id: string, state: ListedPartner['state']): Promise<void> {
  const before = await locked(change, id)
  if (before.state === state) return
  await change.query(setPartnerState, id, state)
  await change.record(`partner.${state}`, undefined, id)
}

async function remove(change: Change, id: string): Promise<void> {
  const { clientIds } = await locked(change, id)
  await change.query(deletePartnerById, id)
  await change.record('partner-client.deleted', undefined, ...clientIds)
  await change.record('partner.deleted', undefined, id)
}

/** Whatever becomes of a partner, its clients are cached with it. */
async function locked(
  change: Change,
  id: string,
): Promise<Pick<ListedPartner, 'displayName' | 'state'> & { clientIds: readonly string[] }> {
  const [row] = await change.query(lockPartner, id)
  if (row === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  const clientIds = (await change.query(clientsOfPartner, id)).map((client) => client.id)
  change.affects('partner-client', ...clientIds)
  return { displayName: row.display_name, state: row.state, clientIds }
}

async function list(session: Session, { after, limit }: Page): Promise<readonly ListedPartner[]> {
  const rows = await session.query(pageOfPartners, after, limit)
  return rows.map((row) => ({
    id: row.id,
    displayName: row.display_name,
    state: row.state,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  }))
}
