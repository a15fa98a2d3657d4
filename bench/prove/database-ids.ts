import pg from 'pg'
import { z } from 'zod'

const rows = z.array(z.object({ id: z.string() }))

/** The column `id` of whatever a query finds, read from the database itself. */
async function idsIn(
  { databaseUrl }: { readonly databaseUrl: string },
  query: string,
): Promise<ReadonlySet<string>> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return new Set(rows.parse((await client.query(query)).rows).map(({ id }) => id))
  } finally {
    await client.end()
  }
}

/** Service accounts that are there, and those whose making is in the audit. */
export async function accountsIn(house: { readonly databaseUrl: string }): Promise<{
  readonly there: ReadonlySet<string>
  readonly noted: ReadonlySet<string>
}> {
  return {
    there: await idsIn(house, `SELECT id FROM principals WHERE kind = 'service-account'`),
    noted: await idsIn(
      house,
      `SELECT subject_id AS id FROM audit_events WHERE action = 'service-account.created'`,
    ),
  }
}
