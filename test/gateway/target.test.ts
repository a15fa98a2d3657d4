import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/errors/gateway-error.ts'
import { canonicalTarget } from '../../src/gateway/target.ts'

function codeOf(raw: string, method = 'GET'): string {
  try {
    canonicalTarget(raw, method)
    return 'accepted'
  } catch (error) {
    if (error instanceof GatewayError) return error.code
    throw error
  }
}

describe('a path that every reader understands alike passes', () => {
  test.each([
    ['/', '/'],
    ['/cmk/v2/clusters/lkc-1', '/cmk/v2/clusters/lkc-1'],
    ['/cmk/v2/clusters/', '/cmk/v2/clusters/'],
    ['/kafka/v3/clusters/lkc-1/acls:batch', '/kafka/v3/clusters/lkc-1/acls:batch'],
    ['/subjects/my%2Ftopic-value/versions', '/subjects/my%2Ftopic-value/versions'],
    ['/subjects/my%2ftopic', '/subjects/my%2Ftopic'],
    ['/%61dmin/%7Euser', '/admin/~user'],
    ['/a/%C3%A9', '/a/%C3%A9'],
    ['/.well-known/jwks.json', '/.well-known/jwks.json'],
    ['/a/..b/...', '/a/..b/...'],
    ['/a;version=1/b', '/a;version=1/b'],
    ['/a/100%25', '/a/100%25'],
    ['/a@b/$c!*', '/a@b/$c!*'],
  ])('%s → %s', (raw, path) => {
    expect(canonicalTarget(raw, 'GET')).toEqual({ path, query: '', authority: undefined })
  })
})

describe('a path that two readers could understand differently is refused', () => {
  test.each([
    '/partner/v2/../admin',
    '/partner/v2/%2e%2e/admin',
    '/partner/v2/%2E%2e/admin',
    '/partner/v2/.%2e/admin',
    '/partner/v2/%252e%252e/admin',
    '/partner/v2/%25252e%25252e/admin',
    '/partner/v2/..%2fadmin',
    '/partner/v2/x%2f..%2fadmin',
    '/partner/v2/..;/admin',
    '/partner/v2/.;x/admin',
    '/.',
    '/..',
    '/a/.',
    '//partner/v2/x',
    '/a//b',
    '/a\\b',
    '/a%5Cb',
    '/a%255Cb',
    '/a%00',
    '/a%2500',
    '/a%0d%0ab',
    '/a%7f',
    '/%c0%ae%c0%ae/x',
    '/%ff',
    '/a%',
    '/a%2',
    '/a%zz',
    '/a#b',
    '/a|b',
    '/a"b',
    '/a<b>',
    '/{id}',
    '/a^b',
    '/a`b',
    '/é',
    'admin/a',
    'http:/x',
    'https://user@host/x',
    'ftp://host/x',
    'host:80',
    '*/x',
    '',
  ])('%s', (raw) => {
    expect(codeOf(raw)).toBe('TARGET_INVALID')
  })

  test('the asterisk names no operation with OPTIONS, and nothing at all otherwise', () => {
    expect(codeOf('*', 'OPTIONS')).toBe('OPERATION_NOT_FOUND')
    expect(codeOf('*')).toBe('TARGET_INVALID')
  })
})

describe('the query string', () => {
  test('passes untouched, unencoded brackets and encoded anything included', () => {
    const query = '?filter[a]=1&b={x}|y&c=%2e%2e%2F%0d%0a&d=a%20b&%ff'
    expect(canonicalTarget(`/a${query}`, 'GET').query).toBe(query)
  })

  test.each(['/a?b#c', '/a?b c', '/a?b\u0001', '/a?é'])('%j is refused', (raw) => {
    expect(codeOf(raw)).toBe('TARGET_INVALID')
  })
})

test('an absolute-form target is split into authority and path', () => {
  expect(canonicalTarget('http://api.example.com:80/a?b', 'GET')).toEqual({
    path: '/a',
    query: '?b',
    authority: 'api.example.com:80',
  })
  expect(canonicalTarget('HTTPS://api.example.com', 'GET').path).toBe('/')
})

test('what is accepted is a fixed point, and names the same resource to whoever decodes it', () => {
  const piece = fc.oneof(
    fc.string({ maxLength: 4 }),
    fc.constantFrom('%2e', '%2F', '..', '.', '/', '%25', '%41', ';', '\\', '%5c', 'a'),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const raw = `/${pieces.join('')}`
      if (codeOf(raw) !== 'accepted') return
      const { path, query } = canonicalTarget(raw, 'GET')
      expect(canonicalTarget(path + query, 'GET')).toEqual({ path, query, authority: undefined })
      const url = new URL(`http://host${path}`)
      expect(url.pathname).toBe(path)
      expect(decodeURIComponent(path).split(/[/\\]/)).not.toContain('..')
    }),
    { numRuns: 2_000 },
  )
})
