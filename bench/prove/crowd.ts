import pg from 'pg'
import { basic } from '../../test/support/basic.ts'
import type { House } from './house.ts'

/** Organizations with one user each, and keys that are dealt out among these in turn. */
export type Crowd = {
  /** The Authorization value of the key of a number, from 0; neighbours belong to neighbouring organizations. */
  readonly authorization: (key: number) => string
}

/** At least a key for each organization. */
export type CrowdSize = { readonly organizations: number; readonly keys: number }

/** Fill a house's directory, past the triggers that would tell every gateway of each row. All keys have one secret. */
export async function addCrowd(house: House, size: CrowdSize): Promise<Crowd> {
  const { directory, userId } = house.fleet
  const like = await directory.apiKeys.create(
    { ownerId: userId, resource: { kind: 'cloud' } },
    { id: 'prove' },
  )
  const client = new pg.Client({ connectionString: house.databaseUrl })
  await client.connect()
  try {
    await client.query('SET session_replication_role = replica')
    await client.query(organizations, [size.organizations])
    await client.query(users, [size.organizations])
    await client.query(keys, [size.organizations, size.keys])
    await client.query(secrets, [like.id, size.keys])
    await client.query('VACUUM ANALYZE organizations, principals, api_keys, api_key_secrets')
  } finally {
    await client.end()
  }
  return {
    authorization: (key) => basic(`K${String(key).padStart(15, '0')}`, like.secret),
  }
}

const organizations = `
  INSERT INTO organizations (id, display_name)
  SELECT md5('organization ' || n)::uuid, 'Organization ' || n
  FROM generate_series(0, $1::int - 1) AS n`

const users = `
  INSERT INTO principals (id, kind, organization_id, display_name, email)
  SELECT 'u-' || lpad(n::text, 6, '0'), 'user', md5('organization ' || n)::uuid, 'User', 'user@example.com'
  FROM generate_series(0, $1::int - 1) AS n`

const keys = `
  INSERT INTO api_keys (id, owner_id, organization_id, opens)
  SELECT 'K' || lpad(n::text, 15, '0'), 'u-' || lpad((n % $1::int)::text, 6, '0'),
    md5('organization ' || n % $1::int)::uuid, 'cloud'
  FROM generate_series(0, $2::int - 1) AS n`

const secrets = `
  INSERT INTO api_key_secrets (key_id, slot, digest, pepper_id)
  SELECT 'K' || lpad(n::text, 15, '0'), slot, digest, pepper_id
  FROM api_key_secrets, generate_series(0, $2::int - 1) AS n WHERE key_id = $1`
