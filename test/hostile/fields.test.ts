import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rawClient } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import { expectRefusal } from './refusal.ts'
import { openScene, statusesIn, type Scene } from './scene.ts'

const maxBodyBytes = 1_000

let scene: Scene
beforeAll(async () => {
  scene = await openScene({}, { maxBodyBytes })
})
beforeEach(() => {
  scene.upstream.reset()
})
afterAll(() => scene.close())

function head(fields: string, line = 'GET /x HTTP/1.1'): string {
  return `${line}\r\nHost: a\r\nConnection: close\r\n${scene.authorization}${fields}\r\n`
}

describe('what a gateway says of a caller reaches the upstream from ours alone', () => {
  const names = [
    'Gatehouse-Principal-Id',
    'Gatehouse_Principal_Id',
    'gatehouse.principal.id',
    'GATEHOUSE-PRINCIPAL-ID',
    "Gatehouse'Principal'Id",
    'Gatehouse-Assertion',
    'Gatehouse-Anything',
    'X-Gatehouse-Principal',
    'X-User-Id',
    'X_User_Id',
    'X.User.Id',
    'X-Org-Id',
    'X-Remote-User',
    'Remote-User',
    'Remote_User',
    'X-Forwarded-User',
    'X-Forwarded-Prefix',
    'X_Forwarded_For',
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-HTTP-Method-Override',
    'X_HTTP_Method_Override',
    'X-HTTP-Method',
    'X-Method-Override',
    'X-Real-IP',
    'True-Client-IP',
    'CF-Connecting-IP',
    'Forwarded',
    'Proxy',
    'X-Request-Id',
    'X-Envoy-Original-Path',
    'Content_Length',
    'Transfer_Encoding',
    'Proxy-Authorization',
  ]

  test.each(names)('%s', async (name) => {
    const text = await scene.attack(head(`${name}: forged\r\n${name}: forged\r\n`))
    expect(statusesIn(text)).toEqual([200])
    expect(JSON.stringify(scene.upstream.requests)).not.toContain('forged')
  })

  test('and Connection cannot take any of it away', async () => {
    const named = ['gatehouse-principal-id', 'x-request-id', 'x-forwarded-for', 'via', 'forwarded']
    const options = [...named, 'authorization', 'host', 'content-length', 'cookie'].join(', ')
    const line = 'POST /x HTTP/1.1'
    const fields = `Connection: ${options}\r\nCookie: mine\r\nContent-Length: 5\r\n`
    expect(statusesIn(await scene.attack(`${head(fields, line)}hello`))).toEqual([200])
    const [request] = scene.upstream.requests
    const seen = request?.headers ?? {}
    for (const name of named) expect(seen[name], name).toEqual(expect.any(String))
    expect(seen['gatehouse-principal-id']).toBe(scene.gateway.userId)
    expect(String(request?.body)).toBe('hello')
    expect(seen.cookie).toBeUndefined()
  })

  test('once each, whatever the names mean to JavaScript', async () => {
    const fields = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype']
    const text = await scene.attack(head(fields.map((name) => `${name}: x\r\n`).join('')))
    expect(statusesIn(text)).toEqual([200])
    const names = scene.upstream.requests[0]?.rawHeaders.filter((_, index) => index % 2 === 0) ?? []
    const ours = names.filter((name) => /^(?:gatehouse|x-request|x-forwarded|via)/.test(name))
    expect(new Set(ours).size).toBe(ours.length)
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})

test('a method in a field, the query or the body is not the method', async () => {
  const form = '_method=DELETE'
  const fields = `X-HTTP-Method-Override: DELETE\r\nContent-Length: ${form.length}\r\n`
  await scene.attack(head(fields, 'POST /x?_method=DELETE HTTP/1.1') + form)
  expect(scene.upstream.requests.map(({ method }) => method)).toEqual(['POST'])
})

test('heads beyond every measure are refused, and cost no more than their bound', async () => {
  const bombs = [
    head('X: y\r\n'.repeat(101)),
    head('X: y\r\n'.repeat(2_500)),
    head(`${'n'.repeat(20_000)}: x\r\n`),
    head(`X: ${'v'.repeat(2_000_000)}\r\n`),
    head(`Cookie: ${'c=d; '.repeat(10_000)}\r\n`),
    head('', `GET /x?${'q'.repeat(9_000)} HTTP/1.1`),
    head('', `GET /${'p'.repeat(200_000)} HTTP/1.1`),
    `${'M'.repeat(100_000)} / HTTP/1.1\r\n\r\n`,
  ]
  for (const bomb of bombs) {
    const told = bomb.slice(0, 120)
    expect([400, 414, 431], told).toContain(expectRefusal(await scene.attack(bomb), told))
  }
  expect(scene.upstream.requests).toEqual([])
})

test('unknown methods, TRACE and CONNECT never reach an upstream', async () => {
  const methods = ['TRACE', 'CONNECT', 'PRI', 'get', 'GETT', 'G\0T', 'G\tT', 'PROPFIND', 'PURGE']
  for (const method of [...methods, 'LINK', 'M-SEARCH', 'SOURCE', 'A'.repeat(40)]) {
    const target = method === 'CONNECT' ? 'a:80' : '/x'
    const [status] = statusesIn(await scene.attack(head('', `${method} ${target} HTTP/1.1`)))
    expect([400, 405, 501], method).toContain(status)
  }
  expect(scene.upstream.requests).toEqual([])
})

describe('Expect', () => {
  test.each(['x', '', '200-ok', '100-continue, x', 'x 100-continue', 'a=100-continue'])(
    '%j is refused before anybody is authenticated',
    async (value) => {
      const anonymous = `POST /x HTTP/1.1\r\nHost: a\r\nExpect: ${value}\r\nContent-Length: 5\r\n\r\n`
      expect(expectRefusal(await scene.attack(anonymous), value)).toBe(417)
      const known = head(`Expect: ${value}\r\nContent-Length: 5\r\n`, 'POST /x HTTP/1.1')
      expect(expectRefusal(await scene.attack(`${known}hello`), value)).toBe(417)
      expect(scene.upstream.requests).toEqual([])
    },
  )

  test('of HTTP/1.0 is passed over: its sender would take 100 for the answer', async () => {
    const known = head('Expect: 100-continue\r\nContent-Length: 5\r\n', 'POST /x HTTP/1.0')
    expect(statusesIn(await scene.attack(`${known}hello`))).toEqual([200])
  })
})

describe('a body beyond the limit is refused where it passes it, and never whole upstream', () => {
  test.each([
    ['announced', 'Content-Length: 1001\r\n', ''],
    ['announced as beyond all measure', 'Content-Length: 9007199254740991\r\n', ''],
    ['in one chunk', 'Transfer-Encoding: chunked\r\n', `3e9\r\n${'b'.repeat(1_001)}\r\n0\r\n\r\n`],
    [
      'in a thousand chunks',
      'Transfer-Encoding: chunked\r\n',
      `${'1\r\nb\r\n'.repeat(1_001)}0\r\n\r\n`,
    ],
    [
      'in a chunk that claims more',
      'Transfer-Encoding: chunked\r\n',
      `fffffff\r\n${'b'.repeat(2_000)}`,
    ],
  ])('%s', async (_name, fields, body) => {
    scene.upstream.behave(() => undefined)
    const text = await scene.attack(head(fields, 'POST /x HTTP/1.1') + body)
    expect(expectRefusal(text, fields)).toBe(413)
    await until(() => scene.upstream.requests.every(({ aborted }) => aborted))
    expect(scene.upstream.requests.filter(({ body: whole }) => whole !== undefined)).toEqual([])
  })

  test('and one at the limit passes, compressed bytes as they are', async () => {
    const bomb = gzipSync(Buffer.alloc(300_000))
    expect(bomb.length).toBeLessThan(maxBodyBytes)
    const coding = `Content-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n`
    await scene.attack(head(coding, 'POST /x HTTP/1.1') + bomb.toString('latin1'))
    await scene.attack(
      head(`Content-Length: ${maxBodyBytes}\r\n`, 'POST /x HTTP/1.1') + 'b'.repeat(maxBodyBytes),
    )
    expect(scene.upstream.requests.map(({ body }) => body?.length)).toEqual([
      bomb.length,
      maxBodyBytes,
    ])
  })
})

test('500 connections at once are all answered', async () => {
  const clients = await Promise.all(
    Array.from({ length: 500 }, () => rawClient(scene.gateway.port)),
  )
  for (const client of clients) client.send(head(''))
  for (const client of clients) expect((await client.response()).status).toBe(200)
  for (const client of clients) client.close()
})

test('what a caller writes stands in the log as text of one record, cut where it is long', async () => {
  const agent = `a\x80\x9b31m${'\xff'.repeat(2_000)}`
  await scene.attack(head(`User-Agent: ${agent}\r\n`, 'GET /nowhere%0a%1b[31m HTTP/1.1'))
  await scene.attack(head(`User-Agent: ${agent}\r\n`, 'GET /"},{"level":"error" HTTP/1.1'))
  await scene.attack(head(`User-Agent: ${agent}\r\n`, `GET /${'p'.repeat(3_000)}?secret HTTP/1.1`))
  const texts = scene.gateway.log.flatMap((record) => Object.values(record).map(String))
  expect(Math.max(...texts.map(({ length }) => length))).toBeLessThan(400)
  expect(texts.join()).not.toMatch(/[\x00-\x1f]|secret/)
})
