import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { rawExchange } from '../support/raw-client.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

let upstream: RecordingUpstream
let gateway: TestGateway

const tree = {
  type: 'object',
  properties: { of: { $ref: '#/paths/~1trees/post/requestBody/content/application~1json/schema' } },
}
const thing = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'id', 'constructor'],
  properties: {
    id: { type: 'string', readOnly: true },
    name: { type: 'string', pattern: '^(a+)+$', maxLength: 40_000 },
    size: { type: 'integer', format: 'int64' },
    constructor: { type: 'string' },
    kind: { oneOf: [{ type: 'string' }, { type: 'object', additionalProperties: false }] },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
  },
}
const json = (schema: object) => ({ content: { 'application/json': { schema } } })
const parameters = [
  { name: 'number', in: 'path', schema: { type: 'integer' } },
  { name: 'limit', in: 'query', schema: { type: 'integer', maximum: 9 } },
  {
    name: 'tags',
    in: 'query',
    explode: false,
    schema: { type: 'array', items: { enum: ['a', 'b'] } },
  },
  ...['pipeDelimited', 'spaceDelimited'].map((style) => ({
    ...{ name: style.replace('Delimited', ''), in: 'query', style },
    schema: { type: 'array', items: { type: 'integer' } },
  })),
  {
    name: 'X-Mode',
    in: 'header',
    required: true,
    schema: { type: 'string', enum: ['fast', 'slow'] },
  },
]
const paths = {
  '/things': {
    post: { requestBody: { required: true, ...json(thing) } },
    put: { requestBody: { content: { 'text/*': {}, 'application/json': { schema: thing } } } },
    get: {},
  },
  '/things/{number}': { get: { parameters } },
  '/labels/{label}/{matrix}': {
    get: {
      parameters: ['label', 'matrix'].map((style) => ({
        ...{ name: style, in: 'path', style, schema: { type: 'integer' } },
      })),
    },
  },
  '/trees': { post: { requestBody: json(tree) } },
}

beforeAll(async () => {
  upstream = await recordingUpstream()
  const group = { paths, upstreamUrl: upstream.url }
  gateway = await startGateway({
    groups: [
      { name: 'checked/v1', validateRequests: true, maxValidatedBodyBytes: 50_000, ...group },
      {
        name: 'shaped/v1',
        mount: '/shaped',
        validateRequests: true,
        errorProfile: 'json-api',
        ...group,
      },
      { name: 'free/v1', mount: '/free', ...group },
    ],
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

type Answer = {
  readonly status: number
  readonly fields: readonly Readonly<Record<string, string>>[]
}

async function send(line: string, body = '', fields: readonly string[] = []): Promise<Answer> {
  upstream.reset()
  const own = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  const type =
    body === '' || fields.some((field) => /^content-type/i.test(field))
      ? []
      : ['Content-Type: application/json']
  const head = [
    `${line} HTTP/1.1`,
    'Host: a',
    `Authorization: ${gateway.key.authorization}`,
    ...type,
    ...own,
    ...fields,
  ]
  const { status, body: answer } = await rawExchange(
    gateway.port,
    `${head.join('\r\n')}\r\n\r\n${body}`,
  )
  const isForwarded = upstream.requests.length > 0
  expect(isForwarded, 'what is refused is not forwarded, and all else is').toBe(status < 300)
  if (isForwarded) return { status, fields: [] }
  const parsed = JSON.parse(answer) as { error?: { fields?: Answer['fields'] } }
  return { status, fields: parsed.error?.fields ?? [] }
}

const good = '{"name":"aa","constructor":"c"}'

describe('a body', () => {
  test('that holds passes as it came: numbers, spaces and unknown members included', async () => {
    const body = `{ "name": "aa",\t"constructor":"c", "size": 9223372036854775807, "new": [1e400, {"a":-0}] }`
    expect(await send('POST /things', body)).toEqual({ status: 200, fields: [] })
    expect(upstream.requests[0]?.body?.toString()).toBe(body)
  })

  test.each(['charset=UTF-8', 'charset="utf8" ; a=b', 'CHARSET = us-ascii'])(
    'in UTF-8 passes: %s',
    async (parameter) => {
      const type = [`Content-Type: application/json; ${parameter}`]
      expect((await send('POST /things', good, type)).status).toBe(200)
    },
  )

  test('that comes in pieces is forwarded whole', async () => {
    upstream.reset()
    const chunks = `${good.length.toString(16)}\r\n${good}\r\n0\r\n\r\n`
    const head = `POST /things HTTP/1.1\r\nHost: a\r\nAuthorization: ${gateway.key.authorization}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
    expect((await rawExchange(gateway.port, head + chunks)).status).toBe(200)
    expect(upstream.requests[0]?.body?.toString()).toBe(good)
  })

  test('is refused with 422 and each member that is wrong', async () => {
    const body = '{"name":"b","size":1.5,"kind":3,"labels":{"a":1}}'
    const { status, fields } = await send('POST /things', body)
    expect(status).toBe(422)
    expect(fields.map(({ pointer }) => pointer).toSorted()).toEqual([
      '/constructor',
      '/kind',
      '/labels/a',
      '/name',
      '/size',
    ])
  })

  test('is told by pointer in the shape of the group', async () => {
    const head = `POST /shaped/things HTTP/1.1\r\nHost: a\r\nAuthorization: ${gateway.key.authorization}\r\nContent-Type: application/json\r\nContent-Length: 19\r\n\r\n`
    const answer = await rawExchange(gateway.port, `${head}{"constructor":"c"}`)
    expect(JSON.parse(answer.body)).toMatchObject({
      errors: [{ status: '422', source: { pointer: '/name' } }],
    })
  })

  test.each([
    ['not JSON', '{"name":'],
    ['a member twice', '{"name":"aa","name":"b","constructor":"c"}'],
    ['a member twice, once escaped', '{"name":"aa","n\\u0061me":"b","constructor":"c"}'],
    ['__proto__', '{"__proto__":{"name":"aa"},"constructor":"c"}'],
    ['what nests too deep', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
  ])('is refused with 400: %s', async (_, body) => {
    expect((await send('POST /things', body)).status).toBe(400)
  })

  test.each([
    ['another media type', ['Content-Type: text/plain']],
    ['no media type', ['Content-Type:']],
    ['another charset', ['Content-Type: application/json; charset=utf-16']],
    ['two charsets', ['Content-Type: application/json;charset=utf-8;charset="utf-7"']],
    ['a content coding', ['Content-Encoding: gzip']],
  ])('is refused with 415: %s', async (_, fields) => {
    expect((await send('POST /things', good, fields)).status).toBe(415)
  })

  test('of another declared media type passes unread', async () => {
    expect(
      (await send('PUT /things', 'not JSON', ['Content-Type: text/csv; header=present'])).status,
    ).toBe(200)
  })

  test('past the bound on what is read whole is refused with 413', async () => {
    const long = `{"name":"aa","constructor":"${'c'.repeat(50_000)}"}`
    expect((await send('POST /things', long)).status).toBe(413)
  })

  test('that must be there and is not is refused with 422', async () => {
    expect(await send('POST /things', '')).toMatchObject({ status: 422, fields: [{ pointer: '' }] })
  })

  test('that would hold up a backtracking engine is decided', async () => {
    const body = `{"name":"${'a'.repeat(30_000)}!","constructor":"c"}`
    expect((await send('POST /things', body)).status).toBe(422)
  })

  test('of a schema within itself is decided at any depth that is read', async () => {
    const body = `${'{"of":'.repeat(90)}{}${'}'.repeat(90)}`
    expect((await send('POST /trees', body)).status).toBe(200)
    expect((await send('POST /trees', '{"of":3}')).status).toBe(422)
  })

  test('is not read in groups that do not ask for it', async () => {
    expect((await send('POST /free/things', '{"name":', ['Content-Type: text/plain'])).status).toBe(
      200,
    )
  })
})

describe('parameters', () => {
  const mode = 'X-Mode: fast'
  test.each([
    ['/things/7?limit=9&tags=a,b&unknown=1', [mode], []],
    ['/things/x', [mode], ['number']],
    ['/things/7?limit=10', [mode], ['limit']],
    ['/things/7?limit=1&limit=2', [mode], ['limit']],
    ['/things/7?limit=', [mode], ['limit']],
    ['/things/7?tags=a,c', [mode], ['tags']],
    ['/things/7?pipe=1|2&space=1%202', [mode], []],
    ['/things/7?pipe=1|b&space=1,2', [mode], ['pipe', 'space']],
    ['/labels/.7/;matrix=7', [], []],
    ['/things/7', [], ['X-Mode']],
    ['/things/7.5?limit=1e9', ['X-Mode: other'], ['number', 'limit', 'X-Mode']],
  ])('%s with %j', async (target, fields, wrong) => {
    const answer = await send(`GET ${target}`, '', fields)
    expect(answer.status).toBe(wrong.length === 0 ? 200 : 422)
    expect(answer.fields.map(({ parameter }) => parameter)).toEqual(wrong)
  })
})
