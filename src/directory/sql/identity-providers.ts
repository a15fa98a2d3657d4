import { z } from 'zod'
import { statement } from '../database.ts'
import { ignored, optionalText, state, texts, times } from './columns.ts'

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

/** $1: organization id, $2: id to begin after, $3: how many */
export const pageOfProviders = statement(
  `SELECT id, organization_id::text AS organization_id, display_name, description, issuer,
     jwks_uri, identity_claim, algorithms, state,
     (extract(epoch FROM created_at) * 1000)::float8 AS created_at_ms,
     (extract(epoch FROM updated_at) * 1000)::float8 AS updated_at_ms
   FROM identity_providers
   WHERE organization_id = $1::uuid AND ($2::text IS NULL OR id > $2)
   ORDER BY id LIMIT $3::int4`,
  z.object({ ...looks, display_name: z.string(), description: z.string(), ...times }),
)

/** $1: id, $2: organization id, $3: display name, $4: description, $5: issuer, $6: JWKS URI,
 * $7: identity claim, $8: algorithms */
export const insertProvider = statement(
  `INSERT INTO identity_providers (id, organization_id, display_name, description, issuer,
     jwks_uri, identity_claim, algorithms)
   VALUES ($1, $2::uuid, $3, $4, $5, $6, $7, $8::text[])`,
  ignored,
)

/** The provider cannot be deleted before the transaction ends. $1: provider id */
export const holdProvider = statement(
  `SELECT organization_id::text AS organization_id, issuer FROM identity_providers
   WHERE id = $1 FOR KEY SHARE`,
  z.object({ organization_id: z.string(), issuer: z.string() }),
)

/** What is shown of a provider. */
export type LockedProvider = z.infer<typeof lockProvider.row>

/** Nobody else changes the provider, or makes a pool of it, before the transaction ends. $1: id */
export const lockProvider = statement(
  `SELECT id, organization_id::text AS organization_id, display_name, description, issuer,
     jwks_uri, identity_claim, algorithms, state
   FROM identity_providers WHERE id = $1 FOR UPDATE`,
  z.object({ ...looks, display_name: z.string(), description: z.string() }),
)

/** $1: id, $2: display name, $3: description, $4: issuer, $5: JWKS URI, $6: identity claim,
 * $7: algorithms */
export const updateProvider = statement(
  `UPDATE identity_providers SET display_name = $2, description = $3, issuer = $4, jwks_uri = $5,
     identity_claim = $6, algorithms = $7::text[], updated_at = now()
   WHERE id = $1`,
  ignored,
)

/** $1: id, $2: state */
export const setProviderState = statement(
  'UPDATE identity_providers SET state = $2, updated_at = now() WHERE id = $1',
  ignored,
)

/** $1: id */
export const deleteProviderById = statement('DELETE FROM identity_providers WHERE id = $1', ignored)

/** $1: provider id */
export const poolsOfProvider = statement(
  'SELECT id FROM identity_pools WHERE provider_id = $1',
  z.object({ id: z.string() }),
)
