import { generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { followKeyFiles } from '../../../src/auth/own/follow-key-files.ts'
import { parseKeyFiles, readKeyFiles, type KeyFiles } from '../../../src/auth/own/key-files.ts'
import type { OwnKeys } from '../../../src/auth/own/signing-keys.ts'
import { until } from '../../support/until.ts'

type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject }

const ed25519 = (): Pair => generateKeyPairSync('ed25519')
const p256 = (): Pair => generateKeyPairSync('ec', { namedCurve: 'P-256' })

function privatePem({ privateKey }: Pair): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' })
}

function publicPem({ publicKey }: Pair): string {
  return publicKey.export({ type: 'spki', format: 'pem' })
}

function privateJwk({ privateKey }: Pair, members: object = {}): string {
  return JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...members })
}

/** Files by name; `write` replaces one. */
async function folderWith(texts: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-keys-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text)
  for (const [name, text] of Object.entries(texts)) await write(name, text)
  return { at: (name: string) => join(folder, name), write }
}

async function keysOf(files: KeyFiles): Promise<OwnKeys> {
  return parseKeyFiles(files, await readKeyFiles(files))
}

async function problemOf(text: string): Promise<string> {
  const { at } = await folderWith({ current: text })
  const problem = await keysOf({ current: at('current'), previous: [] }).then(
    () => 'none',
    (error: unknown) => String(error),
  )
  return problem.replace(at('current'), 'FILE')
}

test.each([
  ['PEM, Ed25519', 'EdDSA', privatePem(ed25519())],
  ['PEM, P-256', 'ES256', privatePem(p256())],
  ['JWK, Ed25519', 'EdDSA', privateJwk(ed25519(), { alg: 'EdDSA' })],
  ['JWK, P-256', 'ES256', ` ${privateJwk(p256())}\n`],
])('a key in %s signs what its public half verifies', async (_form, algorithm, text) => {
  const { at } = await folderWith({ current: text })
  const { current, next, previous } = await keysOf({ current: at('current'), previous: [] })
  expect([next, previous]).toEqual([undefined, []])
  expect(current.publicJwk).toMatchObject({ kid: current.kid, alg: algorithm, use: 'sig' })
  expect(Object.keys(current.publicJwk)).not.toContain('d')
  if (current.privateKey === undefined) throw new Error('There is no private key')
  const hash = algorithm === 'ES256' ? 'sha256' : undefined
  const signature = sign(hash, Buffer.from('text'), current.privateKey)
  expect(verify(hash, Buffer.from('text'), current.publicKey, signature)).toBe(true)
})

test('a key has the id that its file gives it, or its thumbprint: the same on every replica', async () => {
  const pair = p256()
  const named = await folderWith({ current: privateJwk(pair, { kid: '2026-11' }) })
  expect((await keysOf({ current: named.at('current'), previous: [] })).current.kid).toBe('2026-11')
  const forms = await folderWith({ pem: privatePem(pair), jwk: privateJwk(pair) })
  const kids = await Promise.all(
    ['pem', 'jwk'].map(async (name) => keysOf({ current: forms.at(name), previous: [] })),
  )
  expect(kids[0]?.current.kid).toMatch(/^[\w-]{43}$/)
  expect(kids[0]?.current.kid).toBe(kids[1]?.current.kid)
})

test('the next key and previous ones need no private part, and previous ones stay while named', async () => {
  const [current, next, previous] = [ed25519(), p256(), ed25519()]
  const { at } = await folderWith({
    current: privatePem(current),
    next: publicPem(next),
    previous: publicPem(previous),
  })
  const files = { current: at('current'), next: at('next'), previous: [at('previous')] }
  const keys = await keysOf(files)
  expect(keys.next?.algorithm).toBe('ES256')
  expect(keys.previous).toMatchObject([
    { algorithm: 'EdDSA', keepUntilMs: Number.POSITIVE_INFINITY },
  ])
  const without = await keysOf({ ...files, next: undefined })
  expect([without.next, without.previous.length]).toEqual([undefined, 1])
})

test.each([
  ['nothing', '', 'is no key in PEM or JWK'],
  ['text', 'secret text', 'is no key in PEM or JWK'],
  ['half JSON', '{"d":"secret"', 'is not JSON'],
  ['another kind of key', '{"kty":"oct","k":"c2VjcmV0"}', 'is no key in PEM or JWK'],
  ['a public key', publicPem(ed25519()), 'has no private part to sign with'],
  [
    'a key of another curve',
    privatePem(generateKeyPairSync('ec', { namedCurve: 'P-384' })),
    'is neither of Ed25519 (EdDSA) nor of P-256 (ES256)',
  ],
  [
    'an RSA key',
    privatePem(generateKeyPairSync('rsa', { modulusLength: 2048 })),
    'is neither of Ed25519 (EdDSA) nor of P-256 (ES256)',
  ],
  [
    'a key for another algorithm',
    privateJwk(p256(), { alg: 'ES384' }),
    'is neither of Ed25519 (EdDSA) nor of P-256 (ES256)',
  ],
  [
    'a kid that is none',
    privateJwk(p256(), { kid: 'a b' }),
    'has a kid that is not 1 to 255 visible characters',
  ],
  [
    'a private part that is damaged',
    privateJwk(p256(), { d: 'AA' }),
    'is no private key in PEM (PKCS#8) or JWK',
  ],
])('a file with %s is named, and nothing of it is quoted', async (_what, text, reason) => {
  expect(await problemOf(text)).toBe(`KeyFileError: The signing key FILE ${reason}`)
})

test('a file that is missing is named, and so are two with one key', async () => {
  const pair = ed25519()
  const { at } = await folderWith({ current: privatePem(pair), next: publicPem(pair) })
  const [current, next] = [at('current'), at('next')]
  await expect(keysOf({ current: at('none'), previous: [] })).rejects.toThrow(
    `The signing key ${at('none')} cannot be read: ENOENT`,
  )
  await expect(keysOf({ current, next, previous: [] })).rejects.toThrow(
    `The signing key ${next} has the key or the kid of ${current}`,
  )
})

test('files that change are read again, and a bad one leaves the keys before it', async () => {
  const [first, second] = [ed25519(), ed25519()]
  const { at, write } = await folderWith({ current: privatePem(first), next: publicPem(second) })
  const lines: string[] = []
  const note = (_record: object, message: string): void => {
    lines.push(message)
  }
  const followed = await followKeyFiles({
    files: { current: at('current'), next: at('next'), previous: [] },
    log: { info: note, warn: note, error: note },
    intervalMs: 5,
  })
  onTestFinished(followed.close)
  const before = followed.keys()

  await write('current', 'half of a k')
  await until(() => lines.includes('the key files are bad; the signing keys before them stay'))
  expect(followed.keys()).toBe(before)

  await write('next', publicPem(ed25519()))
  await write('current', privatePem(second))
  await until(() => followed.keys().current.kid === before.next?.kid)
  expect(lines).toContain('the key that signed is gone, and its tokens with it')
  expect(lines).not.toContain('a key signs that was not published as the next one before')

  await write('current', privatePem(ed25519()))
  await until(() => lines.includes('a key signs that was not published as the next one before'))
})
