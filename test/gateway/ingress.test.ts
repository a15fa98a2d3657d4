import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/errors/gateway-error.ts'
import { readHead, type RawHead } from '../../src/gateway/ingress.ts'

const limits = { maxHeaderFields: 10, maxTargetBytes: 100 }

function head(rawHeaders: readonly string[], rest: Partial<RawHead> = {}): RawHead {
  return { method: 'POST', url: '/a', httpVersion: '1.1', rawHeaders, ...rest }
}

function codeOf(raw: RawHead): string {
  try {
    readHead(raw, limits)
    return 'accepted'
  } catch (error) {
    if (error instanceof GatewayError) return error.code
    throw error
  }
}

describe('Host', () => {
  test.each([
    ['api.example.com', 'api.example.com'],
    ['API.Example.com:8080', 'api.example.com'],
    ['api.example.com.', 'api.example.com'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['[::1]:80', '[::1]'],
    ['a_b', 'a_b'],
  ])('%s names %s', (value, host) => {
    expect(readHead(head(['Host', value]), limits).host).toBe(host)
  })

  test.each([
    '',
    'a,b',
    'user@host',
    'a b',
    'host:99999',
    'host:x',
    'a/b',
    '[::1',
    'a..b',
    '.',
    '-',
  ])('%j is refused', (value) => {
    expect(codeOf(head(['Host', value]))).toBe('HOST_INVALID')
  })

  test('is refused when missing, doubled, or at odds with an absolute-form target', () => {
    expect(codeOf(head([]))).toBe('HOST_INVALID')
    expect(codeOf(head(['Host', 'a', 'host', 'a']))).toBe('HOST_INVALID')
    expect(codeOf(head(['Host', 'a'], { url: 'http://b/x' }))).toBe('HOST_INVALID')
    expect(codeOf(head(['Host', 'a'], { url: 'http://A:80/x' }))).toBe('accepted')
  })
})

describe('framing', () => {
  const framed = (...fields: string[]): RawHead => head(['Host', 'a', ...fields])

  test.each([
    [[], { kind: 'none' }],
    [['Content-Length', '0'], { kind: 'none' }],
    [['Content-Length', '12'], { kind: 'sized', bytes: 12 }],
    [['Transfer-Encoding', 'Chunked'], { kind: 'chunked' }],
  ])('%j is %j', (fields, body) => {
    expect(readHead(framed(...fields), limits).body).toEqual(body)
  })

  test.each([
    [['Transfer-Encoding', 'gzip, chunked'], 'TRANSFER_CODING_NOT_IMPLEMENTED'],
    [['Transfer-Encoding', ',chunked'], 'TRANSFER_CODING_NOT_IMPLEMENTED'],
    [['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'], 'REQUEST_MALFORMED'],
    [['Transfer-Encoding', 'chunked', 'Content-Length', '3'], 'REQUEST_MALFORMED'],
    [['Content-Length', '3', 'Content-Length', '3'], 'REQUEST_MALFORMED'],
    [['Content-Length', '+3'], 'REQUEST_MALFORMED'],
    [['Content-Length', '99999999999999999999'], 'REQUEST_MALFORMED'],
  ])('%j is refused as %s', (fields, code) => {
    expect(codeOf(framed(...fields))).toBe(code)
  })

  test('chunking is refused on HTTP/1.0', () => {
    const raw = head(['Host', 'a', 'Transfer-Encoding', 'chunked'], { httpVersion: '1.0' })
    expect(codeOf(raw)).toBe('REQUEST_MALFORMED')
  })
})

test('two Authorization fields are refused, whatever they say', () => {
  const raw = head(['Host', 'a', 'Authorization', 'Basic YTpi', 'authorization', 'Basic YTpi'])
  expect(codeOf(raw)).toBe('CREDENTIAL_MALFORMED')
})

test('more fields than allowed are refused, not dropped', () => {
  const fields = Array.from({ length: 10 }, (_, index) => [`x-${index}`, '1']).flat()
  expect(codeOf(head(['Host', 'a', ...fields]))).toBe('HEADERS_TOO_LARGE')
})

test('a target that is too long, and methods that reflect or tunnel, are refused', () => {
  expect(codeOf(head(['Host', 'a'], { url: `/${'a'.repeat(100)}` }))).toBe('TARGET_TOO_LONG')
  expect(codeOf(head(['Host', 'a'], { method: 'TRACE' }))).toBe('METHOD_NOT_IMPLEMENTED')
})

test('of several X-Forwarded-Proto values the nearest proxy’s counts', () => {
  const raw = head(['Host', 'a', 'X-Forwarded-Proto', 'https, http', 'X-Forwarded-For', '1.1.1.1'])
  const read = readHead(raw, limits)
  expect(read.forwardedProto).toBe('http')
  expect(read.forwardedFor).toBe('1.1.1.1')
})
