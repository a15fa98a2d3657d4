import { beforeEach, describe, expect, test } from 'vitest'
import { mint } from '../auth/tokens/minting.ts'
import { exchangePath, fields, ownIssuer, providerKey, startSts, type Body } from './serving.ts'

let sts: ReturnType<typeof startSts>
beforeEach(() => {
  sts = startSts()
})

const formType = 'application/x-www-form-urlencoded'
const complete = { ...fields, subject_token: mint(providerKey) }
const completeBody = new URLSearchParams(complete).toString()

/** `200`, or the error and what is said about it. */
async function outcome(sent: Record<string, string | undefined>): Promise<unknown> {
  const { status, body } = await sts.postForm(exchangePath, { ...complete, ...sent })
  return status === 200 ? 200 : `${String(body['error'])}: ${String(body['error_description'])}`
}

async function statusOf(body: Body, type: string | undefined = formType): Promise<unknown> {
  return (await sts.post(exchangePath, body, type)).status
}

describe('accepted are', () => {
  test('URNs that were encoded twice, as published samples send them', async () => {
    const twice = (urn: string): string => encodeURIComponent(urn)
    expect(
      await outcome({
        grant_type: twice(fields.grant_type),
        subject_token_type: twice(fields.subject_token_type).toLowerCase(),
        requested_token_type: twice(fields.requested_token_type),
      }),
    ).toBe(200)
  })

  test('a subject token that is called an access token', async () => {
    const subject_token_type = 'urn:ietf:params:oauth:token-type:access_token'
    expect(await outcome({ subject_token_type })).toBe(200)
  })

  test('a requested token type that is left out or empty', async () => {
    expect(await outcome({ requested_token_type: undefined })).toBe(200)
    expect(await outcome({ requested_token_type: '' })).toBe(200)
  })

  test('fields that mean nothing here', async () => {
    const noise = {
      client_id: 'anything',
      client_secret: 'anything',
      api_version: 'sts/v1',
      kind: 'TokenExchangeRequest',
      id: 'dlz-f3a90de',
      metadata: '{}',
      'no such field': '',
    }
    expect(await outcome(noise)).toBe(200)
    expect(await statusOf(`${completeBody}&client_id=a&client_id=b&__proto__=c`)).toBe(200)
  })

  test('fields without a value where they may be left out', async () => {
    const empty = { expires_in: '', audience: '', resource: '', scope: '', actor_token: '' }
    expect(await outcome(empty)).toBe(200)
  })

  test('ourselves as audience and resource', async () => {
    expect(await outcome({ audience: ownIssuer, resource: ownIssuer })).toBe(200)
  })

  test.each([formType, `${formType};charset=UTF-8`, `${formType.toUpperCase()} ; charset=x`])(
    'a body of the type %s',
    async (type) => {
      expect(await statusOf(completeBody, type)).toBe(200)
    },
  )

  test('a body of 64 KiB, in one piece or in many', async () => {
    expect(await statusOf(filled(65_536))).toBe(200)
    expect(await statusOf(streamed(filled(65_536)))).toBe(200)
  })
})

describe('refused are', () => {
  test.each([
    'application/json',
    'multipart/form-data; boundary=x',
    'text/plain',
    `${formType}x`,
    '',
    undefined,
  ])('a body of the type %s', async (type) => {
    const { status, body } = await sts.post(exchangePath, completeBody, type)
    expect([status, body['error']]).toEqual([400, 'invalid_request'])
    expect(body['error_description']).toContain(formType)
  })

  test.each(['grant_type', 'subject_token', 'subject_token_type', 'identity_pool_id'])(
    'a request without %s, or with an empty one',
    async (name) => {
      const missing = `invalid_request: The field ${name} is missing.`
      expect(await outcome({ [name]: undefined })).toBe(missing)
      expect(await outcome({ [name]: '' })).toBe(missing)
    },
  )

  test.each(['scope=%zz', 'scope=%ff', '%zz=1', 'scope=\u00e9'])(
    'a body that two readers could take differently: %s',
    async (pair) => {
      const rest = new URLSearchParams(complete)
      const { status, body } = await sts.post(exchangePath, `${rest.toString()}&${pair}`, formType)
      expect([status, body['error']]).toEqual([400, 'invalid_request'])
      expect(body['error_description']).toBe('The body is not a well-formed form.')
    },
  )

  test.each([...Object.keys(complete), 'expires_in', 'audience', 'resource', 'scope'])(
    'a request with %s twice, whatever the values are',
    async (name) => {
      const rest = new URLSearchParams({ ...complete, [name]: '' })
      rest.delete(name)
      const value = encodeURIComponent((complete as Record<string, string>)[name] ?? '')
      for (const twice of [`${name}=${value}&${name}=${value}`, `${name}=&${name}=${value}`]) {
        const { status, body } = await sts.post(
          exchangePath,
          `${rest.toString()}&${twice}`,
          formType,
        )
        expect([status, body['error']]).toEqual([400, 'invalid_request'])
        expect(body['error_description']).toBe(`The field ${name} is sent more than once.`)
      }
    },
  )

  test('other grant types', async () => {
    for (const grant_type of [
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      encodeURIComponent(encodeURIComponent(fields.grant_type)),
      `${fields.grant_type} `,
      fields.grant_type.toUpperCase(),
    ])
      expect(await outcome({ grant_type })).toMatch(/^unsupported_grant_type: /)
  })

  test('other token types', async () => {
    for (const type of ['id_token', 'refresh_token', 'saml2', 'jwt ']) {
      const urn = `urn:ietf:params:oauth:token-type:${type}`
      expect(await outcome({ subject_token_type: urn })).toMatch(/^invalid_request: .*subject_/)
      expect(await outcome({ requested_token_type: urn })).toMatch(/^invalid_request: .*requested_/)
    }
    const requested_token_type = fields.subject_token_type
    expect(await outcome({ requested_token_type })).toMatch(/^invalid_request: /)
  })

  test('any other audience or resource', async () => {
    for (const target of ['https://other.example', `${ownIssuer}/`, `${ownIssuer}/partner`]) {
      expect(await outcome({ audience: target })).toMatch(/^invalid_target: .*audience/)
      expect(await outcome({ resource: target })).toMatch(/^invalid_target: .*resource/)
    }
  })

  test('a scope and an actor', async () => {
    expect(await outcome({ scope: 'openid' })).toMatch(/^invalid_scope: /)
    expect(await outcome({ actor_token: complete.subject_token })).toMatch(
      /^invalid_request: .*actor_token/,
    )
  })

  test.each(['pool-a,pool-b', 'pool-a,pool-a', ' pool-a', 'pool-a,', '*', 'p'.repeat(65), 'pöol'])(
    'what is not one pool: %j',
    async (identity_pool_id) => {
      expect(await outcome({ identity_pool_id })).toMatch(/^invalid_request: .*one pool/)
    },
  )

  test('a lifetime of more than 900 seconds, and one that is none', async () => {
    for (const expires_in of ['901', '3600', '9'.repeat(400)])
      expect(await outcome({ expires_in })).toBe(
        'invalid_request: The field expires_in is more than 900 seconds, the longest that a token lives.',
      )
    for (const expires_in of ['0', '-1', '1.5', '1e2', '0x10', 'soon', ' 5', '٣', '+5'])
      expect(await outcome({ expires_in })).toBe(
        'invalid_request: The field expires_in is not a whole number from 1 to 900.',
      )
  })

  test('a body of more than 64 KiB, in one piece or in many', async () => {
    for (const body of [filled(65_537), streamed(filled(65_537)), streamed(filled(5_000_000))]) {
      const answer = await sts.post(exchangePath, body, formType)
      expect([answer.status, answer.body['error']]).toEqual([413, 'invalid_request'])
    }
  })

  test('fields in the query string', async () => {
    const answer = await sts.call(
      new Request(`${ownIssuer}${exchangePath}?${completeBody}`, {
        method: 'POST',
        headers: { 'Content-Type': formType },
      }),
    )
    expect(answer.status).toBe(400)
  })
})

/** A complete body of so many bytes. */
function filled(bytes: number): string {
  return `${completeBody}&noise=`.padEnd(bytes, 'x')
}

/** A body whose length nobody tells beforehand. */
function streamed(text: string): ReadableStream {
  return new Blob([text]).stream()
}
