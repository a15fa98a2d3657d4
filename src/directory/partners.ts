import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import { decided, type Check, type Edit } from './edit.ts'
import { oneRow } from './one-row.ts'
import { cursorOf, type Page } from './page.ts'
import { generateId } from './random-id.ts'
import {
  clientsOfPartner,
  countPartners,
  deletePartnerById,
  findPartner,
  insertPartner,
  lockPartner,
  pageOfPartners,
  updatePartner,
  type PartnerRow,
} from './sql/partners.ts'

export type NewPartner = { readonly displayName: string }

/** What is absent stays as it is. */
export type PartnerChanges = Partial<NewPartner> & { readonly state?: ListedPartner['state'] }

/** A partner as lists show it. Instants are milliseconds since the epoch. */
export type ListedPartner = {
  readonly id: string
  readonly displayName: string
  readonly state: 'enabled' | 'disabled'
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Grows with every change. */
  readonly version: number
}

/** Which partners are listed; what is absent does not matter. */
export type PartnerFilter = { readonly displayName?: string | undefined }

/** Those who act for many organizations and belong to none, through OAuth clients. */
export type Partners = {
  readonly create: (partner: NewPartner, actor: Actor) => Promise<ListedPartner>
  readonly update: (
    id: string,
    edit: Edit<ListedPartner, PartnerChanges>,
    actor: Actor,
  ) => Promise<ListedPartner>
  readonly enable: (id: string, actor: Actor) => Promise<void>
  /** Refuse all its clients until it is enabled again. */
  readonly disable: (id: string, actor: Actor) => Promise<void>
  /** Delete a partner and its clients. */
  readonly delete: (id: string, actor: Actor, check?: Check<ListedPartner>) => Promise<void>
  readonly find: (id: string) => Promise<ListedPartner | undefined>
  /** All of them, in the order of their ids. */
  readonly list: (page: Page, filter?: PartnerFilter) => Promise<readonly ListedPartner[]>
  readonly count: (filter?: PartnerFilter) => Promise<number>
}

/** Manage partners. */
export function managePartners(session: Session, make: MakeChange): Partners {
  return {
    create: (partner, actor) => make(actor, (change) => create(change, partner)),
    update: (id, edit, actor) => make(actor, (change) => update(change, id, edit)),
    enable: (id, actor) => make(actor, (change) => setState(change, id, 'enabled')),
    disable: (id, actor) => make(actor, (change) => setState(change, id, 'disabled')),
    delete: (id, actor, check) => make(actor, (change) => remove(change, id, check)),
    find: async (id) => {
      const [row] = await session.query(findPartner, id)
      return row && shown(row)
    },
    list: async (page, { displayName } = {}) =>
      (await session.query(pageOfPartners, displayName, ...cursorOf(page))).map(shown),
    count: async ({ displayName } = {}) =>
      oneRow(await session.query(countPartners, displayName)).total,
  }
}

async function create(change: Change, { displayName }: NewPartner): Promise<ListedPartner> {
  const id = generateId('partner')
  const after = shown(oneRow(await change.query(insertPartner, id, displayName)))
  await change.record('partner.created', undefined, { id, after })
  return after
}

async function update(
  change: Change,
  id: string,
  edit: Edit<ListedPartner, PartnerChanges>,
): Promise<ListedPartner> {
  const { before } = await locked(change, id)
  const { displayName, state } = { ...before, ...decided(edit, before) }
  const after = shown(oneRow(await change.query(updatePartner, id, displayName, state)))
  const what = after.state === before.state ? 'updated' : after.state
  await change.record(`partner.${what}`, undefined, { id, before, after })
  return after
}

async function setState(change: Change, id: string, state: ListedPartner['state']): Promise<void> {
  const { before } = await locked(change, id)
  if (before.state !== state) await update(change, id, { state })
}

async function remove(change: Change, id: string, check?: Check<ListedPartner>): Promise<void> {
  const { before, clientIds } = await locked(change, id)
  check?.(before)
  await change.query(deletePartnerById, id)
  await change.record('partner-client.deleted', undefined, ...clientIds)
  await change.record('partner.deleted', undefined, { id, before })
}

/** Whatever becomes of a partner, its clients are cached with it. */
async function locked(
  change: Change,
  id: string,
): Promise<{ readonly before: ListedPartner; readonly clientIds: readonly string[] }> {
  const [row] = await change.query(lockPartner, id)
  if (row === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  const clientIds = (await change.query(clientsOfPartner, id)).map((client) => client.id)
  change.affects('partner-client', ...clientIds)
  return { before: shown(row), clientIds }
}

function shown(row: PartnerRow): ListedPartner {
  return {
    id: row.id,
    displayName: row.display_name,
    state: row.state,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    version: row.version,
  }
}
