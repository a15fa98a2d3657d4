import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAuthorization } from '../../src/auth/authorization-field.ts'
import { GatewayError } from '../../src/errors/gateway-error.ts'

function basic(userPass: string | Buffer): string {
  return `Basic ${Buffer.from(userPass).toString('base64')}`
}

function codeOf(authorization: string): string {
  try {
    return parseAuthorization(authorization).kind
  } catch (error) {
    if (error instanceof GatewayError) return error.code
    throw error
  }
}

test('an absent field presents nothing', () => {
  expect(parseAuthorization(undefined)).toEqual({ kind: 'none' })
})

describe('Basic', () => {
  test('the example of RFC 7617 §2 and the UTF-8 example of §2.1', () => {
    expect(parseAuthorization('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==')).toEqual({
      kind: 'basic',
      id: 'Aladdin',
      secret: 'open sesame',
    })
    expect(parseAuthorization('Basic dGVzdDoxMjPCow==')).toEqual({
      kind: 'basic',
      id: 'test',
      secret: '123£',
    })
  })

  test('the scheme name has no case', () => {
    for (const scheme of ['basic', 'BASIC', 'bAsIc'])
      expect(parseAuthorization(basic('id:secret').replace('Basic', scheme)).kind).toBe('basic')
  })

  test('only the first colon separates, and nothing is URL-decoded', () => {
    expect(parseAuthorization(basic('id:se:cr%3At:'))).toEqual({
      kind: 'basic',
      id: 'id',
      secret: 'se:cr%3At:',
    })
  })

  test('every id without a colon and every secret comes back as it was', () => {
    const printable = fc
      .string({ minLength: 1, maxLength: 200, unit: 'grapheme' })
      .filter((text) => {
        return !/\p{Cc}/u.test(text) && text.isWellFormed()
      })
    fc.assert(
      fc.property(
        printable.filter((text) => !text.includes(':')),
        printable,
        (id, secret) => {
          const authorization = basic(`${id}:${secret}`)
          fc.pre(authorization.length <= 2000)
          expect(parseAuthorization(authorization)).toEqual({ kind: 'basic', id, secret })
        },
      ),
    )
  })

  test.each([
    ['no credentials', 'Basic'],
    ['an empty text', 'Basic '],
    ['two spaces', `Basic  ${basic('a:b').slice(6)}`],
    ['a tab', `Basic\t${basic('a:b').slice(6)}`],
    ['a space before', ` ${basic('a:b')}`],
    ['a space after', `${basic('a:b')} `],
    ['a second credential', `${basic('a:b')}, ${basic('c:d')}`],
    ['characters outside the alphabet', 'Basic YTpi!'],
    ['the URL-safe alphabet', `Basic ${Buffer.from('a:??>>').toString('base64url')}`],
    ['padding left out', 'Basic YTpiYw'],
    ['padding too much', 'Basic YTpi===='],
    ['unused bits set', 'Basic YTpiYx=='],
    ['a line break inside', 'Basic YT\npi'],
    ['no colon', basic('justanid')],
    ['an empty id', basic(':secret')],
    ['an empty secret', basic('id:')],
    ['a NUL', basic('id:sec\0ret')],
    ['a line break in the id', basic('i\r\nd:secret')],
    ['DEL', basic('id:\x7f')],
    ['a C1 control character', basic('id:\u0085')],
    ['octets that are not UTF-8', basic(Buffer.from([0x61, 0x3a, 0xff, 0xfe]))],
    ['a megabyte', basic(`id:${'x'.repeat(1_000_000)}`)],
  ])('%s is malformed', (_what, authorization) => {
    expect(codeOf(authorization)).toBe('CREDENTIAL_MALFORMED')
  })
})

describe('Bearer', () => {
  test('a b64token passes as it is', () => {
    expect(parseAuthorization('bearer mF_9.B5f-4.1JqM~+/==')).toEqual({
      kind: 'bearer',
      token: 'mF_9.B5f-4.1JqM~+/==',
    })
  })

  test.each([
    ['no token', 'Bearer'],
    ['a space inside', 'Bearer a b'],
    ['padding inside', 'Bearer a=b'],
    ['a comma list', 'Bearer a,b'],
    ['more than 8,192 characters', `Bearer ${'a'.repeat(8193)}`],
  ])('%s is malformed', (_what, authorization) => {
    expect(codeOf(authorization)).toBe('CREDENTIAL_MALFORMED')
  })
})

test('another scheme is told by name, whatever follows', () => {
  expect(parseAuthorization('Negotiate')).toEqual({ kind: 'other', scheme: 'Negotiate' })
  expect(parseAuthorization('Digest username="a", realm="b"')).toEqual({
    kind: 'other',
    scheme: 'Digest',
  })
})

test('any text is parsed or malformed, and never anything else', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'binary' }).map((rest) => `Basic ${rest}`),
    fc.base64String().map((rest) => `Basic ${rest}`),
    fc.uint8Array().map((octets) => basic(Buffer.from(octets))),
    fc.string({ unit: 'binary' }).map((rest) => `Bearer ${rest}`),
  )
  fc.assert(
    fc.property(text, (authorization) => {
      expect(['basic', 'bearer', 'other', 'CREDENTIAL_MALFORMED']).toContain(codeOf(authorization))
    }),
    { numRuns: 2000 },
  )
})
