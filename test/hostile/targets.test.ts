import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { expectRefusal } from './refusal.ts'
import { openScene, statusesIn, type Scene } from './scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
beforeEach(() => {
  scene.upstream.reset()
})
afterAll(() => scene.close())

function get(target: string, host = 'a', fields = ''): Promise<string> {
  const head = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n`
  return scene.attack(`${head}${scene.authorization}${fields}\r\n`)
}

describe('a target that two readers could understand differently never passes', () => {
  test.each([
    '/things/../x',
    '/things/./x',
    '/things/%2e%2e/x',
    '/things/.%2E/x',
    '/things/%252e%252e/x',
    '/things/%25252e%25252e/x',
    '/things/..%2fx',
    '/things/a%2f..%2f..%2fx',
    '/things/..;/x',
    '/things/..;a=b/x',
    '/things/%5c..%5cx',
    '/things/a\\b',
    '/things/a%5Cb',
    '/things/a%255cb',
    '//x',
    '/x//',
    '///',
    '/things/a%00',
    '/things/a%2500',
    '/things/a%0d%0aX:y',
    '/things/a%c0%af',
    '/things/a%e0%80%af',
    '/things/a%ff',
    '/things/a%',
    '/things/a%2',
    '/things/a%zz',
    '/things/a#b',
    '/x#/things/a',
    '/things/\xc3\xa9',
    '/x?a=\xc3\xa9',
    '/x?a=b#c',
    'x',
    'things/a',
    '*',
    '?a',
    'a:80',
    'http:/x',
    'http:///x',
    'ftp://a/x',
    'file:///x',
    'javascript:x',
    'http://a@b/x',
    'http://b@a/x',
    'http://a:80:80/x',
    'http://a\\@b/x',
    'http://a?/x',
  ])('%j', async (target) => {
    expect([400, 404]).toContain(statusesIn(await get(target))[0])
    expect(scene.upstream.requests).toEqual([])
  })

  test.each([
    '/things/special',
    '/things/%73pecial',
    '/things/special;a',
    '/things/special;a=b',
    '/things/special%3Ba',
    '/things/special;',
    '/THINGS/special',
    '/things/special/',
  ])('%j does not open what the same path without its disguise does not', async (target) => {
    expect([401, 404]).toContain(statusesIn(await get(target))[0])
    expect(scene.upstream.requests).toEqual([])
  })

  test('what passes is what was decided by, the query untouched', async () => {
    for (const [target, forwarded] of [
      ['/things/%61%2fb;c', '/things/a%2Fb;c'],
      ['/x?a=%2e%2e/..&b=//', '/x?a=%2e%2e/..&b=//'],
      ['http://a/x?y', '/x?y'],
      ['http://a:80/x', '/x'],
    ] as const) {
      scene.upstream.reset()
      expect(statusesIn(await get(target)), target).toEqual([200])
      expect(scene.upstream.requests.map(({ url }) => url)).toEqual([forwarded])
    }
  })
})

describe('a Host that is not one plain name', () => {
  test.each([
    '',
    'a b',
    'a,b',
    'a/b',
    'a@b',
    'a:99999',
    'a:b',
    'a:80:80',
    'a\tb',
    '[::1',
    '::1',
    'a..b',
    '.a',
    "a'b",
    '<a>',
    'a%00b',
    'a\r\nHost: b',
    'a\r\nHost: a',
  ])('%j is refused', async (host) => {
    expect(expectRefusal(await get('/x', host), host)).toBe(400)
    expect(scene.upstream.requests).toEqual([])
  })

  test('or differs from the target’s, by name or by port, is refused', async () => {
    for (const [target, host] of [
      ['http://b/x', 'a'],
      ['http://a:8080/x', 'a'],
      ['http://a/x', 'a:81'],
      ['http://a:80/x', 'a:81'],
      ['https://a/x', 'a:80'],
    ] as const) {
      expect(expectRefusal(await get(target, host), target)).toBe(400)
    }
    expect(scene.upstream.requests).toEqual([])
  })

  test('is never repeated in an answer, so that no cache keeps somebody’s links', async () => {
    const forged =
      'X-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: http\r\nForwarded: host=evil.test\r\n'
    for (const target of ['/x', '/nowhere', '/docs/errors/OPERATION_NOT_FOUND', '/docs/errors']) {
      expect(await get(target, 'evil.test', forged)).not.toContain('evil')
    }
  })
})

test('no target makes the gateway redirect', async () => {
  for (const target of [
    '//evil.test',
    '/\\evil.test',
    '/docs/errors//evil.test',
    '/docs/errors?evil',
    '/x/',
  ]) {
    const text = await get(target)
    expect(text).not.toMatch(/^location:/im)
    expect(text).not.toMatch(/^HTTP\/1\.1 3/)
  }
})
