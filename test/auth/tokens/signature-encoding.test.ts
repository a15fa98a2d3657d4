import { constants, createHash, privateEncrypt, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { vetKey } from '../../../src/auth/keys/vetted-keys.ts'
import { readCompactJws } from '../../../src/auth/tokens/compact-jws.ts'
import { createTokenVerifier } from '../../../src/auth/tokens/verifier.ts'
import { makeKey, mint, nowMs, type SigningKey } from './minting.ts'

const issuer = 'https://idp.example.com'
const ec = makeKey('ES256', 'ec')
const rsa = makeKey('RS256', 'rsa')

/** What comes of a token with another signature over the same parts. */
async function verdict(
  key: SigningKey,
  resign: (input: string, signature: Buffer) => Buffer,
): Promise<string> {
  const [head = '', body = '', seal = ''] = mint(key).split('.')
  const signature = resign(`${head}.${body}`, Buffer.from(seal, 'base64url'))
  const vetted = await vetKey(key.jwk)
  if (typeof vetted === 'string') throw new Error(vetted)
  const verify = createTokenVerifier(
    {
      issuer,
      algorithms: ['RS', 'ES'],
      types: ['jwt'],
      audience: undefined,
      findKey: () => vetted,
      clockToleranceSeconds: 0,
      maxLifetimeSeconds: 86_400,
    },
    () => nowMs,
  )
  const token = readCompactJws(`${head}.${body}.${signature.toString('base64url')}`)
  if (token.kind === 'refused') return token.reason
  const answer = await verify(token)
  return answer.kind === 'refused' ? answer.reason : answer.kind
}

/** DigestInfo of SHA-256, without the digest (RFC 8017 §9.2, note 1). */
const digestInfo = '3031300d060960864801650304020105000420'
const withoutNull = '302f300b0609608648016503040201' + '0420'

/** A signature of PKCS #1 v1.5 whose padding is made by hand. */
function padded(encode: (digest: string) => string) {
  return (input: string): Buffer => {
    const digest = createHash('sha256').update(input).digest('hex')
    const key = { key: rsa.privateKey, padding: constants.RSA_NO_PADDING }
    return privateEncrypt(key, Buffer.from(encode(digest), 'hex'))
  }
}

/** @returns 256 bytes in hex: what stands before the digest, filled up, and what stands after it */
function block(type: string, middle: string, fill = 'ff', after = ''): string {
  const filled = 256 - 3 - (middle.length + after.length) / 2
  return `00${type}${fill.repeat(filled)}00${middle}${after}`
}

test('a padding made by hand as the standard has it is believed', async () => {
  expect(
    await verdict(
      rsa,
      padded((digest) => block('01', digestInfo + digest)),
    ),
  ).toBe('verified')
})

test.each([
  ['another block type', (digest: string) => block('02', digestInfo + digest)],
  ['zeros as filling', (digest: string) => block('01', digestInfo + digest, '00')],
  ['other bytes as filling', (digest: string) => block('01', digestInfo + digest, 'fe')],
  ['parameters left out', (digest: string) => block('01', withoutNull + digest)],
  ['the digest alone', (digest: string) => block('01', digest)],
  ['bytes behind the digest', (digest: string) => block('01', digestInfo + digest, 'ff', '0000')],
  [
    'a short filling, and the rest behind the digest',
    (digest: string) => `0001${'ff'.repeat(8)}00${digestInfo}${digest}`.padEnd(512, '0'),
  ],
  [
    'no zero before what is signed',
    (digest: string) =>
      block('01', digestInfo + digest).replace(`ff00${digestInfo}`, `ffff${digestInfo}`),
  ],
])('a padding with %s is refused', async (_name, encode) => {
  expect(await verdict(rsa, padded(encode))).toBe('signature')
})

test.each<[string, (signature: Buffer) => Buffer]>([
  ['swapped halves', (own) => Buffer.concat([own.subarray(32), own.subarray(0, 32)])],
  ['zeros behind it', (own) => Buffer.concat([own, Buffer.alloc(2)])],
  [
    'zeros before each half',
    (own) => Buffer.concat([wide(own.subarray(0, 32)), wide(own.subarray(32))]),
  ],
  ['a zero for r', (own) => Buffer.concat([Buffer.alloc(32), own.subarray(32)])],
  ['a zero for s', (own) => Buffer.concat([own.subarray(0, 32), Buffer.alloc(32)])],
  ['the order of the group for both', () => Buffer.from(groupOrder.repeat(2), 'hex')],
])('an ECDSA signature with %s is refused', async (_name, change) => {
  expect(await verdict(ec, (_input, own) => change(own))).toBe('signature')
})

test('an ECDSA signature in DER is refused', async () => {
  const der = (input: string): Buffer => sign('sha256', Buffer.from(input), ec.privateKey)
  expect(await verdict(ec, der)).toBe('signature')
})

/** Of P-256. */
const groupOrder = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'

function wide(half: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(16), half])
}
