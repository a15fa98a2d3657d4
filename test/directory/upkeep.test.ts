import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { openPostgres } from '../../src/directory/postgres.ts'
import { startUpkeep } from '../../src/directory/upkeep.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { testOptions } from './opening.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
}, 60_000)
afterAll(() => postgres.stop())

test('revocations and used assertions go some time after they have expired, and not before', async () => {
  const { options, lines } = testOptions()
  const url = await postgres.createDatabase()
  const database = await openPostgres({ ...options, url })
  onTestFinished(() => database.close())
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  // More than one statement takes.
  await client.query(`
    INSERT INTO token_revocations (jti, expires_at)
      SELECT 'old-' || n, now() - interval '6 minutes' FROM generate_series(1, 2500) AS n;
    INSERT INTO used_assertions (client_id, jti, expires_at)
      SELECT 'client', jti, expires_at FROM token_revocations;
    INSERT INTO token_revocations (jti, expires_at) VALUES
      ('just over', now() - interval '1 minute'), ('live', now() + interval '1 minute');
    INSERT INTO used_assertions (client_id, jti, expires_at)
      SELECT 'client', jti, expires_at FROM token_revocations WHERE jti NOT LIKE 'old-%'`)
  const jtis = async (): Promise<readonly string[]> => {
    const { rows } = await client.query<{ jti: string }>(
      'SELECT jti FROM token_revocations UNION ALL SELECT jti FROM used_assertions',
    )
    return rows.map(({ jti }) => jti).toSorted()
  }
  const upkeep = startUpkeep(database, options.log, 1)
  await until(async () => (await jtis()).length <= 4)
  await upkeep.close()
  expect(await jtis()).toEqual(['just over', 'just over', 'live', 'live'])
  expect(lines).toEqual([])
})
