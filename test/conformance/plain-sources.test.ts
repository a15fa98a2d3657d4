import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-plain-sources-'))
  const made = folder
  onTestFinished(() => rm(made, { recursive: true, force: true }))
  await cp(resolve(import.meta.dirname, '../../bin'), join(folder, 'bin'), { recursive: true })
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await mkdir(join(folder, 'src'))
})

/**
 * A program in the place of the gateway, which says its word and whether Node stripped types in its process.
 * What says it is loaded when all else has been.
 */
async function write(word: string): Promise<void> {
  await writeFile(
    join(folder, 'src', 'main.ts'),
    `const word: string = '${word}'
setTimeout(() => import('./later.ts').then(({ say }) => say(word)), 50)
`,
  )
  await writeFile(
    join(folder, 'src', 'later.ts'),
    `export function say(word: string): void {
  const stripped = (process as unknown as { moduleLoadList: string[] }).moduleLoadList
    .some((name) => name.includes('amaro'))
  console.log(word, stripped)
}
`,
  )
}

async function serve(environment: Readonly<Record<string, string>> = {}) {
  const { stdout, stderr } = await run(
    process.execPath,
    [join(folder, 'bin', 'gatehouse.js'), 'serve'],
    { env: { ...process.env, NODE_OPTIONS: '', ...environment } },
  )
  return { said: stdout.trim(), stderr }
}

test('what serves holds nothing that takes types out of sources, from the first start on', async () => {
  await write('one')
  expect(await serve()).toEqual({ said: 'one false', stderr: '' })
  expect(await serve()).toEqual({ said: 'one false', stderr: '' })
})

test('a source that has changed counts at once, also where nothing is kept of it', async () => {
  await write('one')
  await serve()
  await write('two')
  const ownSizes = { NODE_OPTIONS: '--max-semi-space-size=8' }
  expect(await serve(ownSizes)).toMatchObject({ said: 'two true' })
  expect(await serve()).toMatchObject({ said: 'two false' })
})

test('what is kept and cannot be read is made anew', async () => {
  await write('one')
  await serve()
  const kept = join(folder, '.cache', 'plain-sources.json')
  const whole = await readFile(kept, 'utf8')
  await writeFile(kept, whole.slice(0, -10))
  expect(await serve()).toMatchObject({ said: 'one false' })
  expect(await readFile(kept, 'utf8')).toBe(whole)
})
