import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { createPublicLink } from '../../../src/gateway/public-links.ts'
import { answers } from './answers.ts'
import { useScene } from './scene.ts'

const publicOrigin = 'https://api.test'
const scene = useScene({ publicOrigin })

test.each([201, 301, 302, 303, 307, 308, 409])(
  'a %i leads to where callers can go, not to the instance',
  async (status) => {
    const [instance] = await scene.arrange(1, ([url = '']) => ({ urls: [`${url}/base`] }), {
      mount: '/moved',
    })
    const locations = [`${instance?.url ?? ''}/base/things/2?a=b#c`, '/base/things/2?a=b#c']
    const public_ = ['https://api.test/moved/things/2?a=b#c', '/moved/things/2?a=b#c']
    for (const [place, Location] of locations.entries()) {
      instance?.behave(answers(status, { Location, 'Content-Location': Location }))
      const answer = await scene.send('GET /moved/things/1')
      expect([answer.status, answer.field('Location')]).toEqual([status, public_[place]])
      if (status < 400) expect(answer.field('Content-Location')).toBe(public_[place])
    }
    // Passed on, never followed.
    expect(instance?.requests).toHaveLength(2)
  },
)

const place = {
  ...{ publicOrigin, mount: '/m' },
  instances: ['http://one:8080/base', 'http://two/base/deep/', 'https://[::1]:8443'],
}

test.each([
  ['http://one:8080/base/x', 'https://api.test/m/x'],
  ['HTTP://ONE:8080/base/x', 'https://api.test/m/x'],
  ['http://two:80/base/deep/x', 'https://api.test/m/x'],
  ['http://two/base/deep', 'https://api.test/m'],
  ['http://two/base/deep?x=http://one:8080/base', 'https://api.test/m?x=http://one:8080/base'],
  ['https://[::1]:8443/x%2Fy', 'https://api.test/m/x%2Fy'],
  ['https://[::1]:8443', 'https://api.test/m'],
  // Not ours: another origin, another path, or nothing that begins with either.
  ['http://one:8081/base/x', 'http://one:8081/base/x'],
  ['https://one:8080/base/x', 'https://one:8080/base/x'],
  ['http://one:8080/based/x', 'http://one:8080/based/x'],
  ['http://one:8080.evil.test/base/x', 'http://one:8080.evil.test/base/x'],
  ['//one:8080/base/x', '//one:8080/base/x'],
  ['x', 'x'],
  ['../x', '../x'],
  ['', ''],
  ['mailto:one', 'mailto:one'],
  // A path: the longest prefix that fits.
  ['/base/deep/x', '/m/x'],
  ['/base/x', '/m/x'],
])('%s is for callers %s', (reference, expected) => {
  expect(createPublicLink(place)(reference)).toBe(expected)
})

test.each(['/base//evil.test/x', '/base/\\evil.test/x', 'http://one:8080/base//evil.test/x'])(
  '%s leads to no other host by losing its prefix',
  (reference) => {
    const rooted = { ...place, publicOrigin: undefined, mount: '' }
    expect(createPublicLink(rooted)(reference)).toBe(reference)
  },
)

test('without a public origin, links to instances become paths', () => {
  const link = createPublicLink({ ...place, publicOrigin: undefined })
  expect(link('http://one:8080/base/x?y')).toBe('/m/x?y')
  const plain = createPublicLink({ publicOrigin: undefined, mount: '', instances: ['http://one'] })
  expect([plain('http://one'), plain('http://one?x'), plain('/x')]).toEqual(['/', '/?x', '/x'])
})

const pageOf = (url: string): string =>
  `{"metadata":{"next":"${url}/base/things?page_token=b","last":"/base/things"},"n":9007199254740993}`
const publicPage =
  '{"metadata":{"next":"https://api.test/moved/things?page_token=b","last":"/moved/things"},"n":9007199254740993}'

async function arrangePages(rewriteLinks: boolean) {
  const [instance] = await scene.arrange(
    1,
    ([url = '']) => ({ urls: [`${url}/base`], rewriteLinks }),
    { mount: '/moved' },
  )
  return { instance, page: Buffer.from(pageOf(instance?.url ?? '')) }
}

test('links of pages and Link fields lead to us by choice, however the answer is cut', async () => {
  const { instance, page } = await arrangePages(true)
  const at = page.indexOf('page_token')
  instance?.behave((_incoming, outgoing) => {
    outgoing.writeHead(200, {
      'Content-Type': 'application/json',
      'Content-Length': page.length,
      Link: `<${instance.url}/base/things?a>; rel="next", </base/x>; rel=last, <https://else.test/>; rel=help`,
    })
    outgoing.write(page.subarray(0, at))
    setImmediate(() => outgoing.end(page.subarray(at)))
  })
  const answer = await scene.send('GET /moved/things/1', ['Accept-Encoding: gzip, br'])
  expect([answer.status, answer.body]).toEqual([200, publicPage])
  expect(answer.field('Content-Length')).toBeUndefined()
  expect(answer.field('Link')).toBe(
    '<https://api.test/moved/things?a>; rel="next", </moved/x>; rel=last, <https://else.test/>; rel=help',
  )
  expect(instance?.requests[0]?.headers['accept-encoding']).toBeUndefined()
})

test.each([
  ['that is compressed', { 'Content-Encoding': 'gzip' }, gzipSync],
  ['that is no JSON', { 'Content-Type': 'text/plain' }, (page: Buffer) => page],
])('an answer %s passes byte for byte, with its length', async (_, fields, encode) => {
  const { instance, page } = await arrangePages(true)
  const body = encode(page)
  instance?.behave((_incoming, outgoing) => {
    const type = { 'Content-Type': 'application/json', 'Content-Length': body.length }
    outgoing.writeHead(200, { ...type, ...fields })
    outgoing.end(body)
  })
  const answer = await scene.send('GET /moved/things/1')
  expect([answer.field('Content-Length'), answer.body]).toEqual([
    String(body.length),
    body.toString(),
  ])
})

test('unless it is chosen, bodies and Link fields pass as they are', async () => {
  const { instance, page } = await arrangePages(false)
  const Link = '</base/x>; rel=next'
  instance?.behave((_incoming, outgoing) => {
    outgoing.writeHead(200, { 'Content-Type': 'application/json', Link })
    outgoing.end(page)
  })
  const answer = await scene.send('GET /moved/things/1', ['Accept-Encoding: gzip'])
  expect([answer.body, answer.field('Link')]).toEqual([page.toString(), Link])
  expect(instance?.requests[0]?.headers['accept-encoding']).toBe('gzip')
})
