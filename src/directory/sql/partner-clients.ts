import { z } from 'zod'
import { statement } from '../database.ts'
import { history, historyColumns, ignored, state, texts, total } from './columns.ts'
import { secretColumns } from './secret-slots.ts'

/** RFC 7517 §5; that each key has a `kty` and nothing private is for the table to see to. */
const keySet = z
  .looseObject({ keys: z.array(z.record(z.string(), z.unknown())).readonly() })
  .nullable()
  .transform((jwks) => jwks ?? undefined)

const client = {
  id: z.string(),
  partner_id: z.string(),
  display_name: z.string(),
  scopes: texts,
  token_endpoint_auth_methods: z
    .array(z.enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt']))
    .readonly(),
  jwks: keySet,
  state,
}

const listed = z.object({ ...client, ...history })

/** A client without its secrets. */
export type ClientRow = z.infer<typeof listed>

const columns = `id, partner_id, display_name, scopes, token_endpoint_auth_methods, jwks, state,
  ${historyColumns}`

/** A row for each secret, and one row for a client without any. $1: client id */
export const findClient = statement(
  `SELECT c.id, c.partner_id, c.scopes, c.token_endpoint_auth_methods, c.jwks, c.state,
     p.state AS partner_state, s.digest, s.pepper_id,
     (extract(epoch FROM s.expires_at) * 1000)::float8 AS secret_expires_at_ms
   FROM partner_clients c
   JOIN partners p ON p.id = c.partner_id
   LEFT JOIN partner_client_secrets s ON s.client_id = c.id
   WHERE c.id = $1
   ORDER BY s.slot`,
  z.object({ ...client, ...secretColumns, partner_state: state }).omit({ display_name: true }),
)

const filter = 'partner_id = $1 AND ($2::text IS NULL OR display_name = $2)'

/** $1: partner id, $2: display name or NULL, $3: id to begin from, $4: backward, $5: how many */
export const pageOfClients = statement(
  `SELECT * FROM (
     (SELECT ${columns} FROM partner_clients
      WHERE ${filter} AND NOT $4::bool AND ($3::text IS NULL OR id > $3)
      ORDER BY id LIMIT $5::int4)
     UNION ALL
     (SELECT ${columns} FROM partner_clients
      WHERE ${filter} AND $4::bool AND ($3::text IS NULL OR id < $3)
      ORDER BY id DESC LIMIT $5::int4)
   ) AS page ORDER BY id`,
  listed,
)

/** $1 and $2 as in a page */
export const countClients = statement(
  `SELECT count(*)::int4 AS total FROM partner_clients WHERE ${filter}`,
  total,
)

/** $1: id */
export const findListedClient = statement(
  `SELECT ${columns} FROM partner_clients WHERE id = $1`,
  listed,
)

/** $1: id, $2: partner id, $3: display name, $4: scopes, $5: methods, $6: key set as JSON text */
export const insertClient = statement(
  `INSERT INTO partner_clients
     (id, partner_id, display_name, scopes, token_endpoint_auth_methods, jwks)
   VALUES ($1, $2, $3, $4::text[], $5::text[], $6::text::jsonb) RETURNING ${columns}`,
  listed,
)

/** No other transaction changes the client before this one ends. $1: id */
export const lockClient = statement(
  `SELECT ${columns} FROM partner_clients WHERE id = $1 FOR UPDATE`,
  listed,
)

/** $1: id, $2: display name, $3: scopes, $4: methods, $5: key set as JSON text, $6: state */
export const updateClient = statement(
  `UPDATE partner_clients SET display_name = $2, scopes = $3::text[],
     token_endpoint_auth_methods = $4::text[], jwks = $5::text::jsonb, state = $6, updated_at = now()
   WHERE id = $1 RETURNING ${columns}`,
  listed,
)

/** $1: id */
export const deleteClientById = statement('DELETE FROM partner_clients WHERE id = $1', ignored)
