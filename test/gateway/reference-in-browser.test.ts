import { afterAll, beforeAll, expect, test } from 'vitest'
import { memberOf } from '../../src/catalog/json.ts'
import { openBrowserPage, type BrowserPage } from '../support/chromium.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'

/** What a document could try: to run, to load, to lead elsewhere, to leave its place in the page. */
const hostile = `</pre></title><script>window.taken = 1</script><img src="https://evil.test/x" onerror="window.taken = 1">" onmouseover='window.taken = 1' <a href="javascript:window.taken=1">x</a> [x](javascript:window.taken=1) ![x](https://evil.test/y)`

const hostileOperation = {
  summary: hostile,
  description: hostile,
  tags: [hostile],
  externalDocs: { url: 'javascript:window.taken=1', description: hostile },
  parameters: [
    {
      name: hostile,
      in: 'query',
      description: hostile,
      example: hostile,
      schema: { type: 'string', enum: [hostile], default: hostile, pattern: hostile },
    },
  ],
  requestBody: {
    description: hostile,
    content: {
      [hostile]: {
        schema: { properties: { [hostile]: { description: hostile, format: hostile } } },
        examples: { [hostile]: { value: { [hostile]: hostile } } },
      },
    },
  },
  responses: { [hostile]: { description: hostile, headers: { [hostile]: {} } } },
}

let gateway: TestGateway
let browser: BrowserPage

beforeAll(async () => {
  gateway = await startGateway({
    groups: [
      {
        name: 'hostile/v1',
        mount: '/hostile',
        paths: {
          '/x': { post: hostileOperation },
          [`/${'long'.repeat(60)}`]: { get: { description: 'wide'.repeat(200) } },
        },
        upstreamUrl: 'http://127.0.0.1:1',
      },
    ],
    services: ['sts', 'oauth', 'iam', 'org', 'gatehouse', 'quota'],
    configuration: {
      limits: {
        classes: { standard: {} },
        unauthenticated: { requests: 1_000, windowSeconds: 60 },
      },
    },
  })
  browser = await openBrowserPage()
})
afterAll(async () => {
  await browser.close()
  await gateway.stop()
})

const pages = [
  '/docs/api',
  ...['hostile/v1', 'sts', 'iam', 'gatehouse'].map((name) => `/docs/api/${name}`),
  '/docs/errors',
  '/docs/errors/CREDENTIAL_REJECTED',
]

test.each(pages)('%s reads well on a phone, runs nothing and asks nobody else', async (path) => {
  const origin = `http://127.0.0.1:${gateway.port}`
  const before = browser.events.length
  await browser.resize(360, 740)
  await browser.open(origin + path)
  const asked = eventsSince(before, 'Network.requestWillBeSent').map((params) =>
    String(memberOf(memberOf(params, 'request'), 'url')),
  )
  expect(asked).toContain(origin + path)
  expect(asked.filter((url) => !url.startsWith(`${origin}/`) && url !== 'data:,')).toEqual([])
  expect(eventsSince(before, 'Log.entryAdded')).toEqual([])
  expect(eventsSince(before, 'Runtime.consoleAPICalled')).toEqual([])
  expect(eventsSince(before, 'Runtime.exceptionThrown')).toEqual([])
  expect(await browser.evaluate('document.querySelector("h1").textContent.length > 0')).toBe(true)
  expect(await browser.evaluate('document.documentElement.scrollWidth')).toBe(360)
})

test('texts of a document are shown as they stand, and nothing of them lives', async () => {
  await browser.open(`http://127.0.0.1:${gateway.port}/docs/api/hostile/v1`)
  expect(await browser.evaluate('document.body.textContent.includes("<script>window.taken")')).toBe(
    true,
  )
  expect(await browser.evaluate('document.querySelectorAll("script, img, iframe").length')).toBe(0)
  const attributes = `[...document.querySelectorAll('*')].flatMap((e) => [...e.attributes])`
  expect(await browser.evaluate(`${attributes}.filter((a) => /^on/.test(a.name)).length`)).toBe(0)
  const addresses = `[...document.querySelectorAll('a')].map((a) => a.getAttribute('href')).filter((href) => !/^[#/]/.test(href))`
  expect(await browser.evaluate(addresses)).toEqual([])
  expect(await browser.evaluate('window.taken')).toBe(undefined)
})

test('the stylesheet counts', async () => {
  await browser.open(`http://127.0.0.1:${gateway.port}/docs/api/iam`)
  expect(
    await browser.evaluate('getComputedStyle(document.querySelector("pre, .scroll")).overflowX'),
  ).toBe('auto')
})

function eventsSince(place: number, method: string): readonly unknown[] {
  return browser.events
    .slice(place)
    .flatMap((event) => (event.method === method ? event.params : []))
}
