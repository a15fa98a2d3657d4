import { z } from 'zod'
import { statement } from '../database.ts'
import { ignored, state, times } from './columns.ts'

const partner = { id: z.string(), display_name: z.string(), state }

/** $1: id to begin after, $2: how many */
export const pageOfPartners = statement(
  `SELECT id, display_name, state,
     (extract(epoch FROM created_at) * 1000)::float8 AS created_at_ms,
     (extract(epoch FROM updated_at) * 1000)::float8 AS updated_at_ms
   FROM partners WHERE $1::text IS NULL OR id > $1 ORDER BY id LIMIT $2::int4`,
  z.object({ ...partner, ...times }),
)

/** $1: id, $2: display name */
export const insertPartner = statement(
  'INSERT INTO partners (id, display_name) VALUES ($1, $2)',
  ignored,
)

/** Nobody else changes the partner, or makes a client of it, before the transaction ends. $1: id */
export const lockPartner = statement(
  'SELECT id, display_name, state FROM partners WHERE id = $1 FOR UPDATE',
  z.object(partner),
)

/** $1: id, $2: display name */
export const updatePartner = statement(
  'UPDATE partners SET display_name = $2, updated_at = now() WHERE id = $1',
  ignored,
)

/** $1: id, $2: state */
export const setPartnerState = statement(
  'UPDATE partners SET state = $2, updated_at = now() WHERE id = $1',
  ignored,
)

/** $1: id */
export const deletePartnerById = statement('DELETE FROM partners WHERE id = $1', ignored)

/** $1: partner id */
export const clientsOfPartner = statement(
  'SELECT id FROM partner_clients WHERE partner_id = $1',
  z.object({ id: z.string() }),
)
