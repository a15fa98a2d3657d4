import { z } from 'zod'
import { statement } from '../database.ts'
import { history, historyColumns, ignored, state, total } from './columns.ts'

const partner = z.object({ id: z.string(), display_name: z.string(), state, ...history })

export type PartnerRow = z.infer<typeof partner>

const columns = `id, display_name, state, ${historyColumns}`

/** $1: display name or NULL, $2: id to begin from, $3: backward, $4: how many */
export const pageOfPartners = statement(
  `SELECT * FROM (
     (SELECT ${columns} FROM partners
      WHERE ($1::text IS NULL OR display_name = $1) AND NOT $3::bool
        AND ($2::text IS NULL OR id > $2) ORDER BY id LIMIT $4::int4)
     UNION ALL
     (SELECT ${columns} FROM partners
      WHERE ($1::text IS NULL OR display_name = $1) AND $3::bool
        AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $4::int4)
   ) AS page ORDER BY id`,
  partner,
)

/** $1: display name or NULL */
export const countPartners = statement(
  'SELECT count(*)::int4 AS total FROM partners WHERE $1::text IS NULL OR display_name = $1',
  total,
)

/** $1: id */
export const findPartner = statement(`SELECT ${columns} FROM partners WHERE id = $1`, partner)

/** $1: id, $2: display name */
export const insertPartner = statement(
  `INSERT INTO partners (id, display_name) VALUES ($1, $2) RETURNING ${columns}`,
  partner,
)

/** Nobody else changes the partner, or makes a client of it, before the transaction ends. $1: id */
export const lockPartner = statement(
  `SELECT ${columns} FROM partners WHERE id = $1 FOR UPDATE`,
  partner,
)

/** $1: id, $2: display name, $3: state */
export const updatePartner = statement(
  `UPDATE partners SET display_name = $2, state = $3, updated_at = now()
   WHERE id = $1 RETURNING ${columns}`,
  partner,
)

/** $1: id */
export const deletePartnerById = statement('DELETE FROM partners WHERE id = $1', ignored)

/** $1: partner id */
export const clientsOfPartner = statement(
  'SELECT id FROM partner_clients WHERE partner_id = $1',
  z.object({ id: z.string() }),
)
