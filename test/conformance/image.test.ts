import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { ended, freePort, startServer } from '../support/processes.ts'
import { until } from '../support/until.ts'

const root = resolve(import.meta.dirname, '../..')

const lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      dev: z.boolean().optional(),
      optional: z.boolean().optional(),
      devOptional: z.boolean().optional(),
    }),
  ),
})

/** What `npm ci --omit=dev --omit=optional` installs, as paths of the lock file. */
async function productionPackages(): Promise<readonly string[]> {
  const { packages } = lock.parse(
    JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')),
  )
  return Object.entries(packages).flatMap(([path, { dev, optional, devOptional }]) =>
    path === '' || dev === true || optional === true || devOptional === true ? [] : path,
  )
}

/** The instructions of the Dockerfile of one kind, without their name. */
function instructions(dockerfile: string, kind: string): readonly string[] {
  return dockerfile
    .split('\n')
    .flatMap((line) => (line.startsWith(`${kind} `) ? line.slice(kind.length + 1) : []))
}

/** A folder with what the image holds, and nothing else. */
async function imageFolder(dockerfile: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-image-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const copy of instructions(dockerfile, 'COPY')) {
    const names = copy.split(' ')
    const target = names.pop() ?? ''
    for (const name of names) {
      const to = target === './' ? join(folder, name) : join(folder, target)
      await cp(join(root, name), to, { recursive: true })
    }
  }
  for (const path of await productionPackages()) {
    const nested = join(root, path, 'node_modules')
    await cp(join(root, path), join(folder, path), {
      recursive: true,
      // What is nested comes by its own entry.
      filter: (source) => dirname(source) !== nested && source !== nested,
    })
  }
  return folder
}

test('the command line of the image serves in a folder that holds what the image does', async () => {
  const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8')
  const folder = await imageFolder(dockerfile)
  const [entry, command] = ['ENTRYPOINT', 'CMD'].map((kind) => {
    return z.array(z.string()).parse(JSON.parse(instructions(dockerfile, kind)[0] ?? ''))
  })
  expect(entry?.[0]).toBe('node')
  expect(instructions(dockerfile, 'USER')).toEqual(['node'])
  expect(await readdir(join(folder, 'node_modules'))).not.toContain('vitest')

  const run = 'cd "$1" && shift && exec "$@"'
  const args = [process.execPath, ...(entry?.slice(1) ?? []), ...(command ?? [])]
  const ports = { PORT: String(await freePort()), ADMIN_PORT: '0', DEMO_PORT: '0' }
  const child = startServer('/bin/sh', ['-c', run, 'sh', folder, ...args], {
    environment: { ...ports, HOST: '127.0.0.1', DATABASE_URL: '', REDIS_URL: '' },
    readable: true,
  })
  let printed = ''
  for (const output of [child.stdout, child.stderr])
    output?.on('data', (text: Buffer) => (printed += text.toString()))
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await ended(child)
  })
  await until(() => printed.includes('Gatehouse is ready') || child.exitCode !== null, 60_000)
  expect(child.exitCode, printed).toBeNull()
  const answer = await fetch(`http://127.0.0.1:${ports.PORT}/demo/v1/hello`)
  expect(answer.status).toBe(401)
}, 120_000)
