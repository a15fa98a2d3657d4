import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readProfile, type Profile } from '../../../src/cli/api/profile.ts'

const written = `
default: home
profiles:
  home: { url: 'https://api.example.com/', apiKey: KEY, apiSecret: SECRET }
  token: { url: 'http://127.0.0.1:8080', token: abc }
  nobody: { url: 'http://127.0.0.1:8080' }
`

async function profilesFile(text: string, mode = 0o600): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-profiles-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, 'profiles.yaml')
  await writeFile(path, text, { mode })
  return path
}

type Read = { readonly profile: Profile; readonly warnings: readonly string[] }

async function read(
  env: Readonly<Record<string, string>>,
  name?: string,
  text = written,
  mode?: number,
): Promise<Read> {
  const warnings: string[] = []
  const GATEHOUSE_PROFILES = await profilesFile(text, mode)
  const profile = await readProfile({
    env: { GATEHOUSE_PROFILES, ...env },
    name,
    warn: (warning) => {
      warnings.push(warning)
    },
  })
  return { profile, warnings }
}

const basic = `Basic ${Buffer.from('KEY:SECRET').toString('base64')}`

test('the default of the file is used where nothing else is said', async () => {
  expect(await read({})).toEqual({
    profile: { url: 'https://api.example.com', authorization: basic },
    warnings: [],
  })
})

test('the command line counts before the environment, and that before the default', async () => {
  const inEnv = await read({ GATEHOUSE_PROFILE: 'token' })
  expect(inEnv.profile.authorization).toBe('Bearer abc')
  const onLine = await read({ GATEHOUSE_PROFILE: 'token' }, 'nobody')
  expect(onLine.profile).toEqual({ url: 'http://127.0.0.1:8080', authorization: undefined })
})

test('what the environment says of address and credential counts before the file', async () => {
  const env = { GATEHOUSE_URL: 'http://localhost:1', GATEHOUSE_TOKEN: 't' }
  expect((await read(env)).profile).toEqual({
    url: 'http://localhost:1',
    authorization: 'Bearer t',
  })
})

test('a file that others can read is warned of', async () => {
  expect((await read({}, undefined, written, 0o644)).warnings).toHaveLength(1)
})

test.each([
  [
    'an unknown profile',
    written,
    'other',
    /has no profile "other"; it has: home, token, nobody\.$/,
  ],
  ['an address that is none', 'profiles: { a: { url: ftp://x } }', 'a', /is malformed/],
  [
    'a member that there is not',
    'profiles: { a: { url: "http://x", key: k } }',
    'a',
    /is malformed/,
  ],
  ['no profile at all', 'profiles: {}', undefined, /set GATEHOUSE_URL/],
])('%s is an error that says what to do', async (_case, text, name, message) => {
  await expect(read({}, name, text)).rejects.toThrow(message)
})
