import { z } from 'zod'
import { statement } from '../database.ts'
import { ignored, state, times } from './columns.ts'

const pool = {
  id: z.string(),
  provider_id: z.string(),
  display_name: z.string(),
  description: z.string(),
  identity_claim: z.string(),
  filter: z.string(),
  state,
}

/** $1: provider id, $2: id to begin after, $3: how many */
export const pageOfPools = statement(
  `SELECT id, provider_id, display_name, description, identity_claim, filter, state,
     (extract(epoch FROM created_at) * 1000)::float8 AS created_at_ms,
     (extract(epoch FROM updated_at) * 1000)::float8 AS updated_at_ms
   FROM identity_pools
   WHERE provider_id = $1 AND ($2::text IS NULL OR id > $2) ORDER BY id LIMIT $3::int4`,
  z.object({ ...pool, ...times }),
)

/** $1: id, $2: provider id, $3: display name, $4: description, $5: identity claim, $6: filter */
export const insertPool = statement(
  `INSERT INTO identity_pools
     (id, provider_id, display_name, description, identity_claim, filter)
   VALUES ($1, $2, $3, $4, $5, $6)`,
  ignored,
)

/** A pool, with whose it is. */
export type LockedPool = z.infer<typeof lockPool.row>

/** No other transaction changes the pool before this one ends. $1: pool id */
export const lockPool = statement(
  `SELECT l.id, l.provider_id, l.display_name, l.description, l.identity_claim, l.filter,
     l.state, p.organization_id::text AS organization_id, p.issuer
   FROM identity_pools l JOIN identity_providers p ON p.id = l.provider_id
   WHERE l.id = $1 FOR UPDATE OF l`,
  z.object({ ...pool, organization_id: z.string(), issuer: z.string() }),
)

/** $1: id, $2: display name, $3: description, $4: identity claim, $5: filter */
export const updatePool = statement(
  `UPDATE identity_pools SET display_name = $2, description = $3, identity_claim = $4,
     filter = $5, updated_at = now()
   WHERE id = $1`,
  ignored,
)

/** $1: id, $2: state */
export const setPoolState = statement(
  'UPDATE identity_pools SET state = $2, updated_at = now() WHERE id = $1',
  ignored,
)

/** $1: id */
export const deletePoolById = statement('DELETE FROM identity_pools WHERE id = $1', ignored)
