import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readForm } from '../../src/oauth/form.ts'
import { basic } from '../support/basic.ts'
import { answered, caller, introspector, makeClient, post, useOAuth } from './serving.ts'

const serving = useOAuth()
const known = new Set(['grant_type', 'scope'])
const type = 'application/x-www-form-urlencoded'

/** What is read of a body: its values, or the status of the refusal. */
async function read(
  body: string | Uint8Array<ArrayBuffer>,
  contentType = type,
): Promise<object | number> {
  const headers = { 'Content-Type': contentType }
  const request = new Request('http://localhost/', { method: 'POST', headers, body })
  const form = await readForm(request, known)
  return form.kind === 'form' ? Object.fromEntries(form.values) : form.status
}

describe('a form', () => {
  test('is decoded as forms are encoded', async () => {
    expect(await read('grant_type=a+b%20c%2Bd&scope=%C3%A9=%3d')).toEqual({
      grant_type: 'a b c+d',
      scope: 'é==',
    })
    expect(await read('sc%6Fpe=a')).toEqual({ scope: 'a' })
  })

  test('may name a charset, and is of no other type', async () => {
    const types = [`${type};charset=UTF-8`, `${type} ; charset="utf-8"`, type.toUpperCase()]
    for (const one of types) expect(await read('scope=a', one), one).toEqual({ scope: 'a' })
    const others = ['', 'application/json', 'text/plain', `${type}2`, `${type}; boundary=x`]
    for (const one of others) expect(await read('scope=a', one), one).toBe(400)
  })

  test('has parameters without a value as if they were not sent', async () => {
    for (const body of ['', '&', '&&=&', 'scope', 'scope=', 'scope=&grant_type'])
      expect(await read(body), body).toEqual({})
  })

  test('has each known parameter once; of the others it has none', async () => {
    const twice = ['scope=a&scope=a', 'scope=&scope=a', 'scope&scope', 'scope=a&%73cope=b']
    for (const body of twice) expect(await read(body), body).toBe(400)
    expect(await read('other=1&other=2&scope=a&Scope=b&scope%20=c')).toEqual({ scope: 'a' })
  })

  test('has no name that is special', async () => {
    const names = ['__proto__', 'constructor', 'prototype', 'toString', '__proto__[scope]']
    for (const name of names)
      expect(await read(`${name}=polluted&scope=a`), name).toEqual({ scope: 'a' })
    expect(({} as Record<string, unknown>)['scope']).toBeUndefined()
  })

  test('is refused where it cannot be read in one way', async () => {
    for (const body of ['scope=%', 'scope=%zz', 'scope=%4', 'scope=%ff', '%C3=a', 'x=%ED%A0%80'])
      expect(await read(body), body).toBe(400)
    expect(await read(Buffer.from('scope=é', 'latin1'))).toBe(400)
    expect(await read('scope=é')).toBe(400)
    expect(await read('scope=a\0')).toBe(400)
  })

  test('has at most 64 KiB', async () => {
    const most = `scope=${'a'.repeat(64 * 1024 - 6)}`
    expect(await read(most)).toMatchObject({ scope: most.slice(6) })
    expect(await read(`${most}a`)).toBe(413)
  })

  test('that does not end is read no further than that', async () => {
    let pulls = 0
    let isCancelled = false
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulls++
        controller.enqueue(new Uint8Array(16 * 1024).fill(97))
      },
      cancel: () => {
        isCancelled = true
      },
    })
    const headers = { 'Content-Type': type }
    const request = new Request('http://localhost/', {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
    })
    expect(await readForm(request, known)).toMatchObject({ status: 413 })
    expect([isCancelled, pulls < 10]).toEqual([true, true])
  })
})

const names = [
  'grant_type',
  'scope',
  'resource',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'token',
  '__proto__',
]
const values = [
  'client_credentials',
  'partner:create',
  'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  'eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.eyJpc3MiOiJ4In0.c2ln',
  '%00',
  '%',
]

/** From octets to forms that are nearly right. */
const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.from(octets)),
  fc
    .array(fc.tuple(fc.constantFrom(...names), fc.oneof(fc.constantFrom(...values), fc.string())))
    .map((pairs) => Buffer.from(pairs.map(([name, value]) => `${name}=${value}`).join('&'))),
)

test('no body and no credentials, whatever they hold, make the service fail', async () => {
  const oauth = await serving()
  const { id, secret } = await makeClient(oauth)
  const fields = fc.oneof(
    fc.constantFrom(basic(id, secret), basic(introspector.id, introspector.secret), ''),
    fc.string().map((text) => basic(id, text)),
    fc.tuple(fc.string(), fc.string()).map(([one, other]) => basic(one, other)),
    fc.stringMatching(/^[!-~]+( [!-~]*)?$/),
  )
  const paths = fc.constantFrom('/oauth2/token', '/oauth2/revoke', '/oauth2/introspect')
  await fc.assert(
    fc.asyncProperty(paths, bodies, fields, async (path, body, field) => {
      const headers = { 'Content-Type': type, ...(field === '' ? {} : { Authorization: field }) }
      const request = new Request(oauth.issuer + path, { method: 'POST', headers, body })
      const answer = await answered(await oauth.service(request, caller))
      expect(answer.status).toBeLessThan(500)
      expect(answer.headers.get('cache-control')).toBe('no-store')
      if (answer.status === 200) return
      // RFC 6749 §5.2 allows no others.
      expect(answer.body['error']).toMatch(/^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/)
      expect(answer.body['error_description']).toMatch(/^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/)
    }),
    { numRuns: 500 },
  )
})

test('a known parameter that stands twice is refused before anything else', async () => {
  const oauth = await serving()
  const { id, secret } = await makeClient(oauth)
  const more = 'A parameter is present more than once.'
  const twice = [...names.slice(0, 7), 'audience'].map((name) => `${name}=a&${name}=a`)
  for (const form of twice)
    expect(
      await post(`${oauth.issuer}/oauth2/token`, `grant_type=client_credentials&${form}`, {
        authorization: basic(id, secret),
      }),
      form,
    ).toMatchObject({ status: 400, body: { error_description: more } })
  const unknown = 'grant_type=client_credentials&x=1&x=2&token=a&token=b'
  const answer = await post(`${oauth.issuer}/oauth2/token`, unknown, {
    authorization: basic(id, secret),
  })
  expect(answer.status).toBe(200)
})
