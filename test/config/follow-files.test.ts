import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { followFiles } from '../../src/config/follow-files.ts'
import { until } from '../support/until.ts'

let folder: string
let changes: number
let following: { close(): Promise<void> } | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-follow-'))
  changes = 0
})
afterEach(async () => {
  await following?.close()
  await rm(folder, { recursive: true, force: true })
})

async function follow(...files: readonly string[]): Promise<void> {
  following = await followFiles({
    files: () => files.map((file) => join(folder, file)),
    onChange: () => {
      changes += 1
      return Promise.resolve()
    },
    intervalMs: 10,
  })
}

test('a file that is written anew is told once', async () => {
  await writeFile(join(folder, 'a'), 'one')
  await follow('a')
  await writeFile(join(folder, 'a'), 'another')
  await until(() => changes > 0)
  expect(changes).toBe(1)
})

test('a file that is removed is told, and so is its return', async () => {
  await writeFile(join(folder, 'a'), 'one')
  await follow('a')
  await rm(join(folder, 'a'))
  await until(() => changes === 1)
  await writeFile(join(folder, 'a'), 'one')
  await until(() => changes === 2)
})

test('a ConfigMap that Kubernetes exchanges by the link of its folder is told', async () => {
  // What a kubelet makes: file → ..data/file, ..data → a folder with a date, exchanged by rename.
  for (const version of ['..one', '..two']) {
    await mkdir(join(folder, version))
    await writeFile(join(folder, version, 'gateway.yaml'), 'same length')
  }
  await symlink('..one', join(folder, '..data'))
  await symlink(join('..data', 'gateway.yaml'), join(folder, 'gateway.yaml'))
  await follow('gateway.yaml')
  await symlink('..two', join(folder, '..data_tmp'))
  await rename(join(folder, '..data_tmp'), join(folder, '..data'))
  await until(() => changes === 1)
})
