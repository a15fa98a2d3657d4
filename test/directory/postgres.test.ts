import { afterAll, beforeAll } from 'vitest'
import type { Directory } from '../../src/directory/directory.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { describeDirectory } from './contract.ts'
import { describeEnvironments } from './environment-contract.ts'
import { openOnServer } from './opening.ts'
import { describeManagedParts } from './managed-contract.ts'
import { describeRoleBindings } from './role-contract.ts'
import { describeLimitOverrides } from './limit-override-contract.ts'
import { describeResourceCounts } from './resource-count-contract.ts'
import { describeTokenParts } from './token-contract.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
}, 60_000)
afterAll(() => postgres.stop())

const open = async (): Promise<Directory> => openOnServer(await postgres.createDatabase())

describeDirectory(open)
describeEnvironments(open)
describeRoleBindings(open)
describeTokenParts(open)
describeManagedParts(open)
describeLimitOverrides(open)
describeResourceCounts(open)
