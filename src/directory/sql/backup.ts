import { z } from 'zod'
import { statement, type Statement } from '../database.ts'
import { ignored } from './columns.ts'

/** What an export holds: every table but the schema's own, each after those that it refers to. */
export const backedUpTables = [
  'organizations',
  'environments',
  'principals',
  'api_keys',
  'api_key_secrets',
  'api_key_uses',
  'identity_providers',
  'identity_pools',
  'partners',
  'partner_clients',
  'partner_client_secrets',
  'access_grants',
  'resources',
  'role_bindings',
  'limit_overrides',
  'resource_counts',
  'counted_changes',
  'signing_keys',
  'token_revocations',
  'used_assertions',
  'audit_events',
] as const

export type BackedUpTable = (typeof backedUpTables)[number]

/** All that follows in the transaction sees the same moment. To be its first statement. */
export const seeOneMoment = statement(
  'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY',
  ignored,
)

/** Begin to read a table, row by row as JSON. */
export function openRows(table: BackedUpTable): Statement<object> {
  return statement(
    `DECLARE exported_rows NO SCROLL CURSOR FOR SELECT to_jsonb(t)::text AS row FROM ${table} t`,
    ignored,
  )
}

export const nextRows = statement('FETCH 500 FROM exported_rows', z.object({ row: z.string() }))

export const closeRows = statement('CLOSE exported_rows', ignored)

export const anyRow = statement(
  `SELECT ${backedUpTables.map((table) => `EXISTS (SELECT FROM ${table})`).join(' OR ')} AS is_filled`,
  z.object({ is_filled: z.boolean() }),
)

/** $1: table, $2: lines with rows of it, as one JSON list */
export const importRows = statement(
  'SELECT import_rows($1::text::regclass, $2::text::jsonb)::text AS nothing',
  ignored,
)

/** What is written down next comes after what was imported. */
export const continueAuditIds = statement(
  `SELECT setval(pg_get_serial_sequence('audit_events', 'id'), max(id))::text AS last
   FROM audit_events HAVING count(*) > 0`,
  ignored,
)
