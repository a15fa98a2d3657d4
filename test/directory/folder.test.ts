import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openDirectory } from '../../src/directory/directory.ts'
import { copyEmptyDirectory } from '../support/empty-directory.ts'
import { ended } from '../support/processes.ts'
import { makeKey, openInFolder, present, temporaryFolder, testOptions } from './opening.ts'

describe('the folder of an embedded directory', () => {
  test('keeps keys and their pepper from one start to the next', async () => {
    const folder = await emptyDirectoryFolder()
    const open = (): ReturnType<typeof openDirectory> =>
      openDirectory({ ...testOptions().options, folder })
    const first = await open()
    const key = await makeKey(first)
    await first.close()
    const second = await open()
    onTestFinished(() => second.close())
    expect(await present(second, key)).toBe('accepted')
  }, 30_000)

  test('is made where there is none', async () => {
    const folder = join(await temporaryFolder(), 'some', 'where')
    const directory = await openInFolder(folder)
    expect(await directory.isEmpty()).toBe(true)
  }, 30_000)

  test('is refused to a second gateway, in words that say why and what to do', async () => {
    const folder = await emptyDirectoryFolder()
    const directory = await openInFolder(folder)
    await expect(openInFolder(folder)).rejects.toThrow(
      `The directory folder ${folder} is in use by another gateway, which holds ${folder}/lock. Stop that gateway, give this one a folder of its own, or let both share a PostgreSQL server.`,
    )
    expect(await directory.isEmpty()).toBe(true)
  }, 30_000)

  test('is refused while another process uses it; killed, that process leaves it whole', async () => {
    const folder = await emptyDirectoryFolder()
    const { child, key } = await startOther(folder)
    await expect(openInFolder(folder)).rejects.toThrow('is in use by another gateway')
    child.kill('SIGKILL')
    await ended(child)
    const directory = await openDirectory({ ...testOptions().options, folder })
    onTestFinished(() => directory.close())
    expect(await present(directory, key)).toBe('accepted')
  }, 30_000)

  test('opens although an earlier gateway was killed while it made the files', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'postgres.unfinished', 'base'), { recursive: true })
    const directory = await openInFolder(folder)
    expect(await directory.isEmpty()).toBe(true)
  }, 30_000)
})

/** Of a directory that was made before, which takes seconds. */
async function emptyDirectoryFolder(): Promise<string> {
  const folder = await temporaryFolder()
  await copyEmptyDirectory(folder)
  return folder
}

/** Another process that has the folder open and has made a key in it. */
async function startOther(
  folder: string,
): Promise<{ child: ChildProcess; key: { id: string; secret: string } }> {
  const program = join(import.meta.dirname, 'other-gateway.ts')
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { child, key: JSON.parse(line) as { id: string; secret: string } }
}
