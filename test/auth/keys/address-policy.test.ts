import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAddressPolicy } from '../../../src/auth/keys/address-policy.ts'
import { fetchKeySet } from '../../../src/auth/keys/discovery.ts'
import { createDocumentFetcher, type Resolve } from '../../../src/auth/keys/document-fetch.ts'

let connects = 0
let port = 0
const traps: Server[] = []

beforeAll(async () => {
  // One port on every address of this machine: whatever gets out of the policy is counted.
  const trap = createServer((socket) => {
    connects++
    socket.destroy()
  })
  traps.push(trap)
  await new Promise<void>((resolve) => trap.listen(0, '::', resolve))
  const address = trap.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})

afterAll(() => {
  for (const trap of traps) trap.close()
})

/** Spellings of places that no issuer has business at. */
const hosts: readonly string[] = [
  '127.0.0.1',
  '127.0.0.2',
  '127.255.255.254',
  '127.1',
  '127.0.1',
  '2130706433',
  '017700000001',
  '0x7f000001',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '0177.0.0.0x1',
  '127.0.0.1.',
  '127.000.000.001',
  '%31%32%37.0.0.1',
  '１２７.0.0.1',
  '127。0。0。1',
  '①②⑦.0.0.1',
  '0.0.0.0',
  '0',
  '0x0',
  '0.1.2.3',
  '10.0.0.1',
  '10.255.255.255',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '3232235521',
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '100.64.0.1',
  '100.127.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '192.88.99.1',
  '224.0.0.1',
  '239.255.255.250',
  '240.0.0.1',
  '255.255.255.255',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::ffff:10.0.0.1]',
  '[::127.0.0.1]',
  '[::7f00:1]',
  '[::ffff:0:7f00:1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b::169.254.169.254]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2002:a9fe:a9fe::]',
  '[2001::1]',
  '[fc00::1]',
  '[fd12:3456::1]',
  '[fe80::1]',
  '[fec0::1]',
  '[ff02::1]',
  '[2001:db8::1]',
  '[3fff::1]',
  '[100::1]',
  '[5f00::1]',
  '[4000::1]',
  '[fe80::1%25eth0]',
  '134744072',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'trap.example',
]

/** Every name leads home. */
const resolveToTrap: Resolve = (_host, answer) => {
  answer(null, [{ address: '127.0.0.1', family: 4 }])
}

test('no spelling of a private place is connected to, for keys or for metadata', async () => {
  const policy = createAddressPolicy({ allow: [], allowHttp: true })
  const { fetchDocument, close } = createDocumentFetcher({ policy, resolve: resolveToTrap })
  const signal = AbortSignal.timeout(20_000)
  const sources = hosts.flatMap((host) => {
    const base = `http://${host}:${port}`
    return [
      { issuer: 'https://idp.example.com', jwksUri: `${base}/jwks` },
      { issuer: base, jwksUri: undefined },
    ]
  })
  const outcomes = await Promise.allSettled(
    sources.map((source) => fetchKeySet(source, fetchDocument, signal)),
  )
  expect(hosts.length).toBeGreaterThanOrEqual(60)
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toEqual([])
  expect(connects).toBe(0)
  await close()
})

test('an address is refused when it is written, and names are left to the connection', () => {
  const { flawOf } = createAddressPolicy({ allow: [], allowHttp: false })
  const addresses = hosts.filter((host) => !/^[a-z]/i.test(host))
  expect(addresses.filter((host) => flawOf(`https://${host}/jwks`) === undefined)).toEqual([])
  const flaws = {
    'http://idp.example.com/': 'scheme',
    'file:///etc/passwd': 'not-a-url',
    'ftp://idp.example.com/': 'scheme',
    'data:application/json,{}': 'not-a-url',
    'https://': 'not-a-url',
    'idp.example.com': 'not-a-url',
    '': 'not-a-url',
    'https://user@idp.example.com/': 'user-info',
    'https://:pass@idp.example.com/': 'user-info',
    'https://idp.example.com@127.0.0.1/': 'user-info',
    'https:\\\\idp.example.com/': 'host-spelling',
    'https:idp.example.com/': 'host-spelling',
    'https:///idp.example.com/': 'host-spelling',
    'https://idp%2eexample.com/': 'host-spelling',
    'https://ｉdp.example.com/': 'host-spelling',
    'https://idp.example.com\\.evil.example/': undefined,
    'https://idp.example.com/jwks': undefined,
    'https://IDP.example.com:8443/jwks?x=1': undefined,
    'https://8.8.8.8/jwks': undefined,
    'https://[2606:4700::1111]/jwks': undefined,
  }
  expect(Object.fromEntries(Object.keys(flaws).map((url) => [url, flawOf(url)]))).toEqual(flaws)
})

test('what is allowed by name, address or network is, and nothing besides', () => {
  const { flawOf, permits } = createAddressPolicy({
    allow: ['10.1.0.0/16', '127.0.0.1', 'fd00::/8', 'idp.internal'],
    allowHttp: false,
  })
  expect(flawOf('https://10.1.2.3/')).toBeUndefined()
  expect(flawOf('https://10.2.0.1/')).toBe('address')
  expect(flawOf('https://127.0.0.1/')).toBeUndefined()
  expect(flawOf('https://127.0.0.2/')).toBe('address')
  expect(flawOf('https://[::ffff:10.1.2.3]/')).toBe('host-spelling')
  expect(flawOf('https://[fd00::1]/')).toBeUndefined()
  expect(permits('idp.internal', '10.9.9.9')).toBe(true)
  expect(permits('IDP.INTERNAL', '10.9.9.9')).toBe(true)
  expect(permits('other.internal', '10.9.9.9')).toBe(false)
  expect(permits('other.internal', '::ffff:10.1.2.3')).toBe(true)
  expect(permits('other.internal', 'no address')).toBe(false)
  expect(() => createAddressPolicy({ allow: ['10.0.0.0/99'], allowHttp: false })).toThrow(
    RangeError,
  )
})

test('one bad address among those of a name spoils all', async () => {
  const policy = createAddressPolicy({ allow: [], allowHttp: true })
  const resolve: Resolve = (_host, answer) => {
    answer(null, [
      { address: '127.0.0.1', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ])
  }
  const { fetchDocument, close } = createDocumentFetcher({ policy, resolve })
  await expect(
    fetchDocument(`http://rebinding.example:${port}/`, AbortSignal.timeout(5000)),
  ).rejects.toThrow('not allowed')
  expect(connects).toBe(0)
  await close()
})

test('a name that does not resolve fails its fetch, and nothing else', async () => {
  const policy = createAddressPolicy({ allow: [], allowHttp: true })
  // Node calls back with the error alone, whatever the type says.
  const resolve: Resolve = (_host, answer) => {
    Reflect.apply(answer, undefined, [new Error('getaddrinfo ENOTFOUND')])
  }
  const { fetchDocument, close } = createDocumentFetcher({ policy, resolve })
  await expect(fetchDocument('http://nowhere.example/', AbortSignal.timeout(5000))).rejects.toThrow(
    'ENOTFOUND',
  )
  await close()
})
