import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { embeddedFolder, writeConfiguration } from '../support/configuration.ts'
import { copyEmptyDirectory } from '../support/empty-directory.ts'
import { runCommand } from '../support/gateway-process.ts'

test('a start that fails once the directory is open says why, and ends', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-failed-start-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await copyEmptyDirectory(join(folder, embeddedFolder))
  const occupant = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void occupant.close())
  await new Promise((resolve) => occupant.once('listening', resolve))
  const { port } = occupant.address() as AddressInfo
  const file = await writeConfiguration(folder, {
    groups: [],
    services: ['sts'],
    configuration: { listen: { public: { port }, admin: { port: 0 } } },
  })
  const { exitCode, stderr } = await runCommand(['serve', '--config', file])
  expect(stderr).toContain('EADDRINUSE')
  expect(exitCode).toBe(1)
})
