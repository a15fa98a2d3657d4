import { z } from 'zod'
import { statement } from '../database.ts'
import { history, historyColumns, ignored, optionalText, state, texts, total } from './columns.ts'

const looks = {
  id: z.string(),
  organization_id: z.string(),
  issuer: z.string(),
  jwks_uri: optionalText,
  identity_claim: optionalText,
  algorithms: texts,
  state,
}

/** A provider joined with one of its pools: a row for each, and one row for one without any. */
export type ProviderRow = z.infer<typeof findProvidersOfIssuer.row>

/** $1: issuer */
export const findProvidersOfIssuer = statement(
  `SELECT p.id, p.organization_id::text AS organization_id, p.issuer, p.jwks_uri,
     p.identity_claim, p.algorithms, p.state,
     l.id AS pool_id, l.identity_claim AS pool_identity_claim, l.filter AS pool_filter,
     l.state AS pool_state
   FROM identity_providers p LEFT JOIN identity_pools l ON l.provider_id = p.id
   WHERE p.issuer = $1 ORDER BY p.id, l.id`,
  z.object({
    ...looks,
    pool_id: optionalText,
    pool_identity_claim: optionalText,
    pool_filter: optionalText,
    pool_state: state.nullable(),
  }),
)

/** $1: pool id */
export const findPoolWithProvider = statement(
  `SELECT p.id, p.organization_id::text AS organization_id, p.issuer, p.jwks_uri,
     p.identity_claim, p.algorithms, p.state,
     l.id AS pool_id, l.identity_claim AS pool_identity_claim, l.filter AS pool_filter,
     l.state AS pool_state
   FROM identity_pools l JOIN identity_providers p ON p.id = l.provider_id
   WHERE l.id = $1`,
  z.object({
    ...looks,
    pool_id: z.string(),
    pool_identity_claim: z.string(),
    pool_filter: z.string(),
    pool_state: state,
  }),
)

const listed = z.object({ ...looks, display_name: z.string(), description: z.string(), ...history })

/** What is shown of a provider. */
export type ListedProviderRow = z.infer<typeof listed>

const columns = `id, organization_id::text AS organization_id, display_name, description, issuer,
  jwks_uri, identity_claim, algorithms, state, ${historyColumns}`

const filter = `organization_id = $1::uuid AND ($2::text IS NULL OR issuer = $2)`

/** $1: organization id, $2: issuer, $3: id to begin from, $4: backward, $5: how many */
export const pageOfProviders = statement(
  `SELECT * FROM (
     (SELECT ${columns} FROM identity_providers
      WHERE ${filter} AND NOT $4::bool AND ($3::text IS NULL OR id > $3)
      ORDER BY id LIMIT $5::int4)
     UNION ALL
     (SELECT ${columns} FROM identity_providers
      WHERE ${filter} AND $4::bool AND ($3::text IS NULL OR id < $3)
      ORDER BY id DESC LIMIT $5::int4)
   ) AS page ORDER BY id`,
  listed,
)

/** $1 and $2 as in a page */
export const countProviders = statement(
  `SELECT count(*)::int4 AS total FROM identity_providers WHERE ${filter}`,
  total,
)

/** $1: id */
export const findProvider = statement(
  `SELECT ${columns} FROM identity_providers WHERE id = $1`,
  listed,
)

/** $1: id, $2: organization id, $3: display name, $4: description, $5: issuer, $6: JWKS URI,
 * $7: identity claim, $8: algorithms */
export const insertProvider = statement(
  `INSERT INTO identity_providers (id, organization_id, display_name, description, issuer,
     jwks_uri, identity_claim, algorithms)
   VALUES ($1, $2::uuid, $3, $4, $5, $6, $7, $8::text[]) RETURNING ${columns}`,
  listed,
)

/** The provider cannot be deleted before the transaction ends. $1: provider id */
export const holdProvider = statement(
  `SELECT organization_id::text AS organization_id, issuer FROM identity_providers
   WHERE id = $1 FOR KEY SHARE`,
  z.object({ organization_id: z.string(), issuer: z.string() }),
)

/** Nobody else changes the provider, or makes a pool of it, before the transaction ends. $1: id */
export const lockProvider = statement(
  `SELECT ${columns} FROM identity_providers WHERE id = $1 FOR UPDATE`,
  listed,
)

/** $1: id, $2: display name, $3: description, $4: issuer, $5: JWKS URI, $6: identity claim,
 * $7: algorithms, $8: state */
export const updateProvider = statement(
  `UPDATE identity_providers SET display_name = $2, description = $3, issuer = $4, jwks_uri = $5,
     identity_claim = $6, algorithms = $7::text[], state = $8, updated_at = now()
   WHERE id = $1 RETURNING ${columns}`,
  listed,
)

/** $1: id */
export const deleteProviderById = statement('DELETE FROM identity_providers WHERE id = $1', ignored)

/** $1: provider id */
export const poolsOfProvider = statement(
  'SELECT id FROM identity_pools WHERE provider_id = $1',
  z.object({ id: z.string() }),
)
