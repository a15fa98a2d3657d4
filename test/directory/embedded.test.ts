import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { openDirectory, type Directory } from '../../src/directory/directory.ts'
import { describeDirectory } from './contract.ts'
import { describeEnvironments } from './environment-contract.ts'
import { openInFolder, peppers, temporaryFolder, testOptions } from './opening.ts'
import { describeManagedParts } from './managed-contract.ts'
import { describeRoleBindings } from './role-contract.ts'
import { describeLimitOverrides } from './limit-override-contract.ts'
import { describeTokenParts } from './token-contract.ts'

// Making the files of a PostgreSQL takes seconds, so they are made once and copied for each test.
let empty: string
beforeAll(async () => {
  empty = await mkdtemp(join(tmpdir(), 'gatehouse-directory-'))
  await (await openDirectory({ ...testOptions().options, folder: empty, peppers })).close()
}, 60_000)
afterAll(() => rm(empty, { recursive: true }))

async function openCopy(): Promise<Directory> {
  const folder = await temporaryFolder()
  await cp(empty, folder, { recursive: true })
  return openInFolder(folder)
}

describeDirectory(openCopy)
describeRoleBindings(openCopy)
describeEnvironments(openCopy)
describeTokenParts(openCopy)
describeManagedParts(openCopy)
describeLimitOverrides(openCopy)
