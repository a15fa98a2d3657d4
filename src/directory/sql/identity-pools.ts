import { z } from 'zod'
import { statement } from '../database.ts'
import { history, historyColumns, ignored, state, total } from './columns.ts'

const pool = {
  id: z.string(),
  provider_id: z.string(),
  display_name: z.string(),
  description: z.string(),
  identity_claim: z.string(),
  filter: z.string(),
  state,
}

const listed = z.object({ ...pool, ...history })

/** What is shown of a pool. */
export type ListedPoolRow = z.infer<typeof listed>

const columns = `id, provider_id, display_name, description, identity_claim, filter, state,
  ${historyColumns}`

/** $1: provider id, $2: id to begin from, $3: backward, $4: how many */
export const pageOfPools = statement(
  `SELECT * FROM (
     (SELECT ${columns} FROM identity_pools
      WHERE provider_id = $1 AND NOT $3::bool AND ($2::text IS NULL OR id > $2)
      ORDER BY id LIMIT $4::int4)
     UNION ALL
     (SELECT ${columns} FROM identity_pools
      WHERE provider_id = $1 AND $3::bool AND ($2::text IS NULL OR id < $2)
      ORDER BY id DESC LIMIT $4::int4)
   ) AS page ORDER BY id`,
  listed,
)

/** $1: provider id */
export const countPools = statement(
  'SELECT count(*)::int4 AS total FROM identity_pools WHERE provider_id = $1',
  total,
)

/** $1: id */
export const findListedPool = statement(
  `SELECT ${columns} FROM identity_pools WHERE id = $1`,
  listed,
)

/** $1: id, $2: provider id, $3: display name, $4: description, $5: identity claim, $6: filter */
export const insertPool = statement(
  `INSERT INTO identity_pools
     (id, provider_id, display_name, description, identity_claim, filter)
   VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${columns}`,
  listed,
)

/** A pool, with whose it is. */
export type LockedPool = z.infer<typeof lockPool.row>

/** No other transaction changes the pool before this one ends. $1: pool id */
export const lockPool = statement(
  `SELECT l.id, l.provider_id, l.display_name, l.description, l.identity_claim, l.filter,
     l.state, (extract(epoch FROM l.created_at) * 1000)::float8 AS created_at_ms,
     (extract(epoch FROM l.updated_at) * 1000)::float8 AS updated_at_ms, l.version,
     p.organization_id::text AS organization_id, p.issuer
   FROM identity_pools l JOIN identity_providers p ON p.id = l.provider_id
   WHERE l.id = $1 FOR UPDATE OF l`,
  listed.extend({ organization_id: z.string(), issuer: z.string() }),
)

/** $1: id, $2: display name, $3: description, $4: identity claim, $5: filter, $6: state */
export const updatePool = statement(
  `UPDATE identity_pools SET display_name = $2, description = $3, identity_claim = $4,
     filter = $5, state = $6, updated_at = now()
   WHERE id = $1 RETURNING ${columns}`,
  listed,
)

/** $1: id */
export const deletePoolById = statement('DELETE FROM identity_pools WHERE id = $1', ignored)
