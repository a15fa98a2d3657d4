import { expect, test } from 'vitest'
import { crc32 } from 'node:zlib'
import { generateKeyId, generateSecret, isKeyId } from '../../src/directory/credential-format.ts'

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

test('a key id is 16 upper-case letters and digits', () => {
  for (let n = 0; n < 1000; n++) {
    const id = generateKeyId()
    expect(id).toMatch(/^[A-Z0-9]{16}$/)
    expect(isKeyId(id)).toBe(true)
  }
  for (const text of ['', 'A'.repeat(15), 'A'.repeat(17), 'a'.repeat(16), `${'A'.repeat(16)}\n`])
    expect(isKeyId(text)).toBe(false)
})

test('a secret is a prefix, 48 random characters, and the checksum of both', () => {
  for (let n = 0; n < 1000; n++) {
    const secret = generateSecret('api-key')
    expect(secret).toMatch(/^gatehouse_[0-9A-Za-z]{54}$/)
    const value = Array.from(secret.slice(-6)).reduce(
      (sum, digit) => sum * 62 + digits.indexOf(digit),
      0,
    )
    expect(value).toBe(crc32(secret.slice(0, -6)))
  }
})

test('ids and secrets do not repeat, and use their whole alphabets', () => {
  const ids = Array.from({ length: 1000 }, generateKeyId)
  const secrets = Array.from({ length: 1000 }, () => generateSecret('api-key'))
  expect(new Set(ids).size).toBe(1000)
  expect(new Set(secrets).size).toBe(1000)
  expect(new Set(ids.join('')).size).toBe(36)
  expect(new Set(secrets.map((secret) => secret.slice(10, 58)).join('')).size).toBe(62)
})
