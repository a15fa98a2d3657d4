import { describe, expect, test } from 'vitest'
import { createFindClient, isLoopback, limitedAddress } from '../../src/gateway/client.ts'

describe('without trusted proxies', () => {
  const find = createFindClient([])

  test('X-Forwarded-For is a claim that nobody believes', () => {
    expect(find('203.0.113.9', '10.0.0.1')).toEqual({
      address: '203.0.113.9',
      peer: '203.0.113.9',
      behindProxy: false,
    })
  })

  test('an IPv4-mapped address is the IPv4 address, however it is written', () => {
    expect(find('::ffff:1.2.3.4', undefined).address).toBe('1.2.3.4')
    expect(find('::ffff:102:304', undefined).address).toBe('1.2.3.4')
  })
})

describe('behind trusted proxies', () => {
  const find = createFindClient(['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'])

  test.each([
    ['10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['10.0.0.1', '198.51.100.7, 203.0.113.9', '203.0.113.9'],
    ['10.0.0.1', '203.0.113.9, 10.1.1.1, 192.0.2.1', '203.0.113.9'],
    ['::ffff:10.0.0.1', '2001:DB8::1, 2a00::1', '2a00::1'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', 'unknown', '10.0.0.1'],
    ['10.0.0.1', '203.0.113.9, garbage', '10.0.0.1'],
    ['192.0.2.1', '::ffff:203.0.113.9', '203.0.113.9'],
    ['192.0.2.1', '198.51.100.7, 203.0.113.9:4711', '203.0.113.9'],
    ['192.0.2.1', '203.0.113.9, 10.1.1.1:80', '203.0.113.9'],
    ['192.0.2.1', '[2a00::1]:4711', '2a00::1'],
    ['192.0.2.1', '[2a00::1]', '2a00::1'],
    ['192.0.2.1', '203.0.113.9:', '192.0.2.1'],
    ['192.0.2.1', '203.0.113.9:x', '192.0.2.1'],
  ])('peer %s saying %s speaks for %s', (peer, forwardedFor, address) => {
    expect(find(peer, forwardedFor)).toMatchObject({ address, behindProxy: true })
  })

  test('a peer outside the ranges is the client itself', () => {
    expect(find('203.0.113.1', '1.1.1.1')).toMatchObject({
      address: '203.0.113.1',
      behindProxy: false,
    })
  })
})

test('an entry that is no address or range is refused when the gateway starts', () => {
  expect(() => createFindClient(['10.0.0.0/33'])).toThrow()
  expect(() => createFindClient(['proxy.internal'])).toThrow()
})

test('an IPv6 client is counted by its /64, an IPv4 client by its address', () => {
  expect(limitedAddress('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64')
  expect(limitedAddress('2001:db8:1:2:ffff::1')).toBe('2001:db8:1:2::/64')
  expect(limitedAddress('203.0.113.9')).toBe('203.0.113.9')
})

test.each([
  ['127.0.0.1', true],
  ['127.8.8.8', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.168.0.1', false],
  ['gateway.example.com', false],
])('a listener on %s is reachable from this machine only: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected)
})
