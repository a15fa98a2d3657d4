import { createHmac, createPublicKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { vetKeys } from '../../../src/auth/keys/vetted-keys.ts'
import { readCompactJws } from '../../../src/auth/tokens/compact-jws.ts'
import { createTokenVerifier, type IssuerExpectations } from '../../../src/auth/tokens/verifier.ts'
import { encode, makeKey, mint, nowMs, signParts, type SigningKey } from './minting.ts'

const ec = makeKey('ES256', 'ec')
const rsa = makeKey('RS256', 'rsa')
const keys = [ec, rsa, ...['PS256', 'ES384', 'ES512', 'EdDSA'].map((name) => makeKey(name, name))]
const stranger = makeKey('ES256', 'ec')
const nowSeconds = nowMs / 1000

async function verdict(token: string, changes: Partial<IssuerExpectations> = {}): Promise<string> {
  const read = readCompactJws(token)
  if (read.kind === 'refused') return read.reason
  const vetted = await vetKeys({ keys: keys.map(({ jwk }) => jwk) })
  const verify = createTokenVerifier(
    {
      issuer: 'https://idp.example.com',
      algorithms: ['RS', 'PS', 'ES', 'EdDSA'],
      types: [undefined, 'jwt', 'at+jwt'],
      audience: 'https://api.example.com',
      findKey: (kid) => vetted?.keys.get(kid),
      clockToleranceSeconds: 60,
      maxLifetimeSeconds: 3600,
      ...changes,
    },
    () => nowMs,
  )
  const answer = await verify(read)
  return answer.kind === 'refused' ? answer.reason : answer.kind
}

/** Claims as JSON text, so that what an object cannot hold can be written. */
function mintText(claims: string, header = `{"alg":"ES256","kid":"ec","typ":"JWT"}`): string {
  return signParts(ec, encode(header), encode(claims))
}

const times = `"iat":${nowSeconds},"exp":${nowSeconds + 60}`
const plain = `"iss":"https://idp.example.com","aud":"https://api.example.com","sub":"s",${times}`
const good = mint(ec)
const [head = '', body = '', seal = ''] = good.split('.')
const publicKey = createPublicKey(rsa.privateKey)
const publicPem = publicKey.export({ type: 'spki', format: 'pem' })
const publicDer = publicKey.export({ type: 'spki', format: 'der' })

function withHmac(header: object, secret: string | Buffer): string {
  const input = `${encode(header)}.${body}`
  const digest = createHmac('sha256', secret).update(input).digest('base64url')
  return `${input}.${digest}`
}

/** Signed by a key of the issuer's, and yet wrong. */
function withHeader(header: object): string {
  return mint(ec, { header })
}

function withClaims(claims: object): string {
  return mint(ec, { claims })
}

const algorithms: readonly string[] = [
  ...['none', 'nOnE', 'None', 'NONE', ''].map((alg) => `${encode({ alg, kid: 'ec' })}.${body}.`),
  ...['none', 'nOnE', 'None', 'NONE', 'HS256', 'HS384', 'HS512', 'ES256K', 'es256', 'ES256 '].map(
    (alg) => withHeader({ alg }),
  ),
  ...['RS256', 'PS256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RSA-OAEP', 'dir', 'A128KW'].map(
    (alg) => withHeader({ alg }),
  ),
  ...[undefined, null, 1, true, [], ['ES256'], {}, { ES256: 1 }].map((alg) => withHeader({ alg })),
  ...keys.map(({ kid }) => withHmac({ alg: 'HS256', kid, typ: 'JWT' }, '')),
  withHmac({ alg: 'HS256', kid: 'rsa' }, publicPem),
  withHmac({ alg: 'HS256', kid: 'rsa' }, JSON.stringify(rsa.jwk)),
  withHmac({ alg: 'HS256', kid: 'rsa' }, publicDer),
  withHmac({ alg: 'HS256', kid: 'rsa' }, String(rsa.jwk['n'])),
  withHmac({ alg: 'RS256', kid: 'rsa' }, publicPem),
  mint(rsa, { header: { alg: 'PS256' } }),
  mint(rsa, { header: { alg: 'RS384' } }),
]

const kids: readonly string[] = [
  undefined,
  null,
  7,
  {},
  [],
  '',
  'EC',
  'ec ',
  'unknown',
  '../../dev/null',
  "' OR 1=1 --",
  '__proto__',
  'constructor',
  'k'.repeat(257),
  'k'.repeat(4000),
  'rsa',
].map((kid) => withHeader({ kid }))

const headerMembers: readonly string[] = [
  { jku: 'https://evil.example/jwks' },
  { jwk: stranger.jwk },
  { x5u: 'https://evil.example/cert' },
  { x5c: ['MIIB'] },
  { crit: [] },
  { crit: ['exp'], exp: nowSeconds + 60 },
  { crit: ['b64'], b64: false },
  { b64: false },
  { b64: true },
  { zip: 'DEF' },
  { enc: 'A128GCM' },
  { cty: 'JWT' },
  { epk: {} },
  { nonce: 'x' },
  { x: { y: { z: 1 } } },
].map(withHeader)

const types: readonly string[] = [
  'logout+jwt',
  'secevent+jwt',
  'dpop+jwt',
  'gatehouse-sts+jwt',
  'application/logout+jwt',
  'JWE',
  'JOSE',
  'x'.repeat(200),
  '',
  1,
  null,
  ['JWT'],
].map((typ) => withHeader({ typ }))

const shapes: readonly string[] = [
  '',
  '.',
  '..',
  '...',
  head,
  `${head}.${body}`,
  `${head}.${body}.`,
  `.${body}.${seal}`,
  `${head}..${seal}`,
  `${good}.`,
  `${good}.${seal}`,
  `${good}.${seal}.${seal}`,
  `${good}\n`,
  `\n${good}`,
  ` ${good}`,
  `${good} `,
  `${good}\0`,
  `${head} .${body}.${seal}`,
  `${head}.${body}=.${seal}`,
  `${good}=`,
  `${good}==`,
  `${head}.${body}.${seal.slice(0, -1)}`,
  `${head}.${body}.${seal.slice(0, -4)}`,
  `${head}.${body}.${nonCanonical(seal)}`,
  `${nonCanonical(encode('{"alg":"ES256","kid":"ec"} '))}.${body}.${seal}`,
  `${head}.${body}.${seal.replace(/[-_A-Z]/, '+')}`,
  `${head}.${body}.${seal.replace(/[-_A-Z]/, '/')}`,
  `${head}.${body}.${'A'.repeat(86)}`,
  `${head}.${body}.${Buffer.alloc(64, 0xff).toString('base64url')}`,
  `${head}.${body}.${encode('x')}`,
  `${head}.${body}.${'A'.repeat(8192)}`,
  JSON.stringify({ protected: head, payload: body, signature: seal }),
  JSON.stringify({ payload: body, signatures: [{ protected: head, signature: seal }] }),
  withClaims({ padding: 'x'.repeat(6200) }),
]

/** The same octets in another spelling: bits that the last character leaves unused are set. */
function nonCanonical(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(part.at(-1) ?? 'A')
  return part.slice(0, -1) + (alphabet[last ^ 1] ?? 'A')
}

const signatures: readonly string[] = [
  mint(stranger),
  `${head}.${encode({ sub: 'admin' })}.${seal}`,
  `${encode({ alg: 'ES256', kid: 'ec' })}.${body}.${seal}`,
  `${head}.${body}.${mint(ec, { claims: { sub: 'other' } }).split('.')[2] ?? ''}`,
  `${head}.${body}.${mint(rsa).split('.')[2] ?? ''}`,
  ...keys.map((key) => {
    const [one = '', two = '', three = ''] = mint(key).split('.')
    const octets = Buffer.from(three, 'base64url')
    octets.writeUInt8(octets.readUInt8(9) ^ 1, 9)
    return `${one}.${two}.${octets.toString('base64url')}`
  }),
]

const json: readonly string[] = [
  mintText(`{${plain},"sub":"admin"}`),
  mintText(`{${plain},"\\u0073ub":"admin"}`),
  mintText(`{"exp":1,${plain}}`),
  mintText(`{${plain},"a":{"b":1,"b":2}}`),
  mintText(`{${plain},"a":[{"b":1,"b":2}]}`),
  mintText(`{${plain},"__proto__":{"admin":true}}`),
  mintText(`{${plain},"a":{"\\u005f_proto__":1}}`),
  mintText(`{${plain},"a":${'['.repeat(2000)}${']'.repeat(2000)}}`),
  mintText(`{${plain},"a":${'{"a":'.repeat(17)}1${'}'.repeat(17)}}`),
  mintText(`{${plain},"a":[${'1,'.repeat(2700)}1]}`),
  mintText(`{${plain}},`),
  mintText(`{${plain}}{}`),
  mintText(`[{${plain}}]`),
  mintText(`"${'x'.repeat(10)}"`),
  mintText('null'),
  mintText(''.padEnd(4, ' ')),
  mintText(`\uFEFF{${plain}}`),
  mintText(`{${plain},}`),
  mintText(`{${plain},'a':1}`),
  mintText(`{${plain},"a":01}`),
  mintText(`{${plain},"a":NaN}`),
  mintText(`{${plain},"a":"\t"}`),
  mintText(`{${plain},"a":"unterminated}`),
  mintText(`{${plain}/**/}`),
  signParts(ec, head, Buffer.from(`{${plain},"a":"\xff"}`, 'latin1').toString('base64url')),
  mintText(`{${plain}}`, '{"alg":"ES256","kid":"ec","kid":"ec"}'),
  mintText(`{${plain}}`, '{"alg":"none","alg":"ES256","kid":"ec"}'),
  mintText(`{${plain}}`, '{"alg":"ES256","\\u0061lg":"none","kid":"ec"}'),
  mintText(`{${plain}}`, '{"alg":"ES256","kid":"ec","__proto__":{}}'),
  mintText(`{${plain}}`, `{"alg":"ES256","kid":"ec","typ":${'['.repeat(500)}${']'.repeat(500)}}`),
  mintText(`{${plain}}`, '["ES256"]'),
]

const claims: readonly string[] = [
  ...[
    undefined,
    null,
    '',
    'abc',
    {},
    [],
    true,
    1.5,
    -1,
    1e300,
    253_402_300_800,
    nowSeconds - 61,
  ].map((exp) => ({ exp })),
  ...[`${nowSeconds + 60}`, nowSeconds + 3601, nowSeconds - 10, 0].map((exp) => ({ exp })),
  ...[undefined, null, '', '1', {}, [], 1.5, -1, nowSeconds + 61, nowSeconds + 1000, 1e300].map(
    (iat) => ({ iat }),
  ),
  ...[null, '', '1', {}, 1.5, nowSeconds + 61, 1e300].map((nbf) => ({ nbf })),
  ...[
    undefined,
    null,
    '',
    {},
    [],
    ['user-1'],
    1,
    true,
    's'.repeat(256),
    'a\nb',
    'a\0',
    '\ud800',
  ].map((sub) => ({ sub })),
  ...[undefined, null, '', 1, {}, ['https://idp.example.com']].map((iss) => ({ iss })),
  ...[
    'https://idp.example.com/',
    'https://IDP.example.com',
    'http://idp.example.com',
    'https://idp.example.com ',
    'https://evil.example',
    'i'.repeat(3000),
  ].map((iss) => ({ iss })),
  ...[
    undefined,
    null,
    '',
    1,
    {},
    [],
    [['https://api.example.com']],
    'https://api.example.com/',
  ].map((aud) => ({ aud })),
  ...['https://API.example.com', ['https://api.example.com'], ['https://api.example.com', 'x']].map(
    (aud) => ({ aud }),
  ),
  { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
  { events: {} },
].map(withClaims)

const families = { algorithms, kids, headerMembers, types, shapes, signatures, json, claims }

test.each(keys.map((key): [string, SigningKey] => [key.algorithm, key]))(
  'a token that is in order is believed: %s',
  async (_name, key) => {
    expect(await verdict(mint(key))).toBe('verified')
  },
)

test('what real issuers send besides is believed', async () => {
  const tokens = [
    withHeader({ typ: undefined }),
    withHeader({ typ: 'at+jwt' }),
    withHeader({ typ: 'application/at+jwt' }),
    withHeader({ x5t: 'abc', 'x5t#S256': 'def' }),
    withClaims({ nbf: nowSeconds + 60, iat: nowSeconds + 60 }),
    withClaims({ exp: nowSeconds - 59, iat: nowSeconds - 100 }),
    withClaims({ constructor: 1, toString: { valueOf: 2 }, events: 'party' }),
    withClaims({ sub: 's'.repeat(255), groups: ['a', 'b'], nested: { deep: [{ er: null }] } }),
    mint(keys.at(-1) ?? ec, { header: { alg: 'Ed25519' } }),
  ]
  expect(await Promise.all(tokens.map((token) => verdict(token)))).toEqual(
    tokens.map(() => 'verified'),
  )
})

test.each(Object.entries(families))('no hostile token is believed: %s', async (_name, tokens) => {
  const verdicts = await Promise.all(tokens.map((token) => verdict(token)))
  expect(tokens.filter((_token, index) => verdicts[index] === 'verified')).toEqual([])
})

test('there are enough hostile tokens, and nothing has touched what all objects inherit', () => {
  expect(new Set(Object.values(families).flat()).size).toBeGreaterThan(200)
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(({} as { admin?: boolean }).admin).toBeUndefined()
})

test('without an audience of ours, strings and lists of strings are left to the filters', async () => {
  const open = { audience: undefined }
  expect(await verdict(withClaims({ aud: ['a', 'b'] }), open)).toBe('verified')
  expect(await verdict(withClaims({ aud: undefined }), open)).toBe('verified')
  expect(await verdict(withClaims({ aud: [['a']] }), open)).toBe('audience')
  expect(await verdict(withClaims({ aud: { a: 1 } }), open)).toBe('audience')
})

test('an issuer is held to its own algorithms', async () => {
  expect(await verdict(mint(rsa), { algorithms: ['ES'] })).toBe('algorithm')
  expect(await verdict(mint(rsa), { algorithms: ['RS256'] })).toBe('verified')
  expect(await verdict(mint(ec), { algorithms: ['ES384'] })).toBe('algorithm')
})

test('types of our own tokens are asked for by name', async () => {
  const own = { types: ['gatehouse-sts+jwt'] }
  expect(await verdict(withHeader({ typ: 'gatehouse-sts+jwt' }), own)).toBe('verified')
  expect(await verdict(withHeader({ typ: undefined }), own)).toBe('token-type')
  expect(await verdict(good, own)).toBe('token-type')
})

test('expectations that would accept anything are refused', () => {
  const expectations = {
    issuer: 'https://idp.example.com',
    types: ['jwt'],
    audience: undefined,
    findKey: () => undefined,
    maxLifetimeSeconds: 60,
  }
  const build = (algorithms: string[], clockToleranceSeconds: number) => () =>
    createTokenVerifier({ ...expectations, algorithms, clockToleranceSeconds }, () => nowMs)
  expect(build(['none', 'HS256'], 0)).toThrow(RangeError)
  expect(build(['ES256'], 61)).toThrow(RangeError)
  expect(build(['ES256'], Number.NaN)).toThrow(RangeError)
})
