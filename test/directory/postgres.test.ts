import { afterAll, beforeAll } from 'vitest'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { describeDirectory } from './contract.ts'
import { openOnServer } from './opening.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
}, 60_000)
afterAll(() => postgres.stop())

describeDirectory(async () => openOnServer(await postgres.createDatabase()))
