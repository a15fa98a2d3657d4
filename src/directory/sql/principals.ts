import { z } from 'zod'
import { statement } from '../database.ts'
import { ignored, optionalText } from './columns.ts'

/** $1: id, $2: organization id, $3: email, $4: display name */
export const insertUser = statement(
  `INSERT INTO principals (id, kind, organization_id, email, display_name)
   VALUES ($1, 'user', $2::uuid, $3, $4)`,
  ignored,
)

/** $1: id, $2: organization id, $3: display name, $4: description */
export const insertServiceAccount = statement(
  `INSERT INTO principals (id, kind, organization_id, display_name, description)
   VALUES ($1, 'service-account', $2::uuid, $3, $4)`,
  ignored,
)

/** $1: organization id, $2: id to begin after, $3: how many */
export const pageOfPrincipals = statement(
  `SELECT id, kind, display_name, description, email FROM principals
   WHERE organization_id = $1::uuid AND ($2::text IS NULL OR id > $2) ORDER BY id LIMIT $3::int4`,
  z.object({
    id: z.string(),
    kind: z.enum(['user', 'service-account']),
    display_name: z.string(),
    description: z.string(),
    email: optionalText,
  }),
)

/** The principal cannot be deleted before the transaction ends. $1: principal id */
export const holdPrincipal = statement(
  `SELECT organization_id::text AS organization_id FROM principals WHERE id = $1 FOR KEY SHARE`,
  z.object({ organization_id: z.string() }),
)

/** No key can be made for the principal before the transaction ends. $1: principal id */
export const lockPrincipal = statement(
  `SELECT kind, organization_id::text AS organization_id FROM principals WHERE id = $1 FOR UPDATE`,
  z.object({ kind: z.enum(['user', 'service-account']), organization_id: z.string() }),
)

/** $1: principal id */
export const deletePrincipalById = statement('DELETE FROM principals WHERE id = $1', ignored)
