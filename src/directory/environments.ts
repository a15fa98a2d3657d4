import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import { decided, type Check, type Edit } from './edit.ts'
import { oneRow } from './one-row.ts'
import { cursorOf, type Page } from './page.ts'
import { generateId } from './random-id.ts'
import {
  countEnvironments,
  deleteEnvironmentById,
  findEnvironment,
  insertEnvironment,
  lockEnvironment,
  pageOfEnvironments,
  updateEnvironment,
  type EnvironmentRow,
} from './sql/environments.ts'

export type NewEnvironment = {
  readonly organizationId: string
  /** One environment of an organization per name. */
  readonly displayName: string
}

/** What is absent stays as it is. */
export type EnvironmentChanges = { readonly displayName?: string }

/** An environment as lists show it. Instants are milliseconds since the epoch. */
export type Environment = {
  /** `env-…` */
  readonly id: string
  readonly organizationId: string
  readonly displayName: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Grows with every change. */
  readonly version: number
}

/** Which environments are listed; what is absent does not matter. */
export type EnvironmentFilter = { readonly displayName?: string | undefined }

/** The parts that organizations keep their resources in. */
export type Environments = {
  readonly create: (environment: NewEnvironment, actor: Actor) => Promise<Environment>
  readonly update: (
    id: string,
    edit: Edit<Environment, EnvironmentChanges>,
    actor: Actor,
  ) => Promise<Environment>
  readonly delete: (id: string, actor: Actor, check?: Check<Environment>) => Promise<void>
  readonly find: (id: string) => Promise<Environment | undefined>
  /** Those of an organization, in the order of their ids. */
  readonly list: (
    organizationId: string,
    page: Page,
    filter?: EnvironmentFilter,
  ) => Promise<readonly Environment[]>
  readonly count: (organizationId: string, filter?: EnvironmentFilter) => Promise<number>
}

/** Manage environments. */
export function manageEnvironments(session: Session, make: MakeChange): Environments {
  return {
    create: (environment, actor) => make(actor, (change) => create(change, environment)),
    update: (id, edit, actor) => make(actor, (change) => update(change, id, edit)),
    delete: (id, actor, check) => make(actor, (change) => remove(change, id, check)),
    find: async (id) => {
      const [row] = await session.query(findEnvironment, id)
      return row && shown(row)
    },
    list: async (organizationId, page, { displayName } = {}) => {
      const values = [organizationId, displayName, ...cursorOf(page)]
      return (await session.query(pageOfEnvironments, ...values)).map(shown)
    },
    count: async (organizationId, { displayName } = {}) =>
      oneRow(await session.query(countEnvironments, organizationId, displayName)).total,
  }
}

async function create(
  change: Change,
  { organizationId, displayName }: NewEnvironment,
): Promise<Environment> {
  const values = [generateId('env'), organizationId, displayName]
  const after = shown(oneRow(await change.query(insertEnvironment, ...values)))
  await change.record('environment.created', organizationId, { id: after.id, after })
  return after
}

async function update(
  change: Change,
  id: string,
  edit: Edit<Environment, EnvironmentChanges>,
): Promise<Environment> {
  const before = await locked(change, id)
  const { displayName } = { ...before, ...decided(edit, before) }
  const after = shown(oneRow(await change.query(updateEnvironment, id, displayName)))
  await change.record('environment.updated', after.organizationId, { id, before, after })
  return after
}

async function remove(change: Change, id: string, check?: Check<Environment>): Promise<void> {
  const before = await locked(change, id)
  check?.(before)
  await change.query(deleteEnvironmentById, id)
  await change.record('environment.deleted', before.organizationId, { id, before })
}

async function locked(change: Change, id: string): Promise<Environment> {
  const [row] = await change.query(lockEnvironment, id)
  if (row === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  return shown(row)
}

function shown(row: EnvironmentRow): Environment {
  return {
    id: row.id,
    organizationId: row.organization_id,
    displayName: row.display_name,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    version: row.version,
  }
}
