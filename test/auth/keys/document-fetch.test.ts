import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createAddressPolicy } from '../../../src/auth/keys/address-policy.ts'
import { createDocumentFetcher } from '../../../src/auth/keys/document-fetch.ts'

let answer: (request: IncomingMessage, response: ServerResponse) => void
let paths: string[] = []
let base = ''

const server = createServer((request, response) => {
  paths.push(request.url ?? '')
  answer(request, response)
})
const { fetchDocument, close } = createDocumentFetcher({
  policy: createAddressPolicy({ allow: ['127.0.0.1'], allowHttp: true }),
})

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

beforeEach(() => {
  paths = []
})

afterAll(async () => {
  await close()
  server.closeAllConnections()
  server.close()
})

function fetchIt(): ReturnType<typeof fetchDocument> {
  return fetchDocument(`${base}/jwks`, AbortSignal.timeout(5000))
}

function reply(status: number, headers: Record<string, string>, body: string): void {
  answer = (_request, response) => response.writeHead(status, headers).end(body)
}

test('a document comes with the lifetime that its server gives it', async () => {
  const fields = {
    'max-age=600': 600,
    'public, max-age=21600, must-revalidate': 21600,
    'MAX-AGE="30"': 30,
    's-maxage=5': undefined,
    'no-store': undefined,
    'max-age=soon': undefined,
  }
  for (const [field, maxAgeSeconds] of Object.entries(fields)) {
    reply(200, { 'cache-control': field }, '{"keys":[]}')
    expect(await fetchIt()).toEqual({ body: { keys: [] }, maxAgeSeconds })
  }
})

test('a redirect is not followed', async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    reply(status, { location: `${base}/elsewhere` }, '')
    await expect(fetchIt()).rejects.toThrow(`the status is ${status}`)
  }
  expect(new Set(paths)).toEqual(new Set(['/jwks']))
})

test('what is no plain JSON document is refused', async () => {
  reply(404, {}, '{}')
  await expect(fetchIt()).rejects.toThrow('the status is 404')
  reply(200, { 'content-encoding': 'gzip' }, '{}')
  await expect(fetchIt()).rejects.toThrow('compressed')
  reply(200, {}, '<html>')
  await expect(fetchIt()).rejects.toThrow(SyntaxError)
})

test('a refused answer whose body is still coming ends nothing but the fetch', async () => {
  answer = (_request, response) => {
    response.writeHead(500).write('{')
  }
  await expect(fetchIt()).rejects.toThrow('the status is 500')
  // An error that nobody listens to would come now, and fail the run.
  await new Promise((resolve) => setImmediate(resolve))
})

test('a body that does not end is cut off at 256 KiB, and its connection with it', async () => {
  let sent = 0
  const closed = new Promise<void>((resolve) => {
    answer = (_request, response) => {
      response.writeHead(200)
      const chunk = Buffer.alloc(16 * 1024, 0x20)
      const more = (): void => {
        sent += chunk.length
        if (response.destroyed) return
        if (response.write(chunk)) setImmediate(more)
        else response.once('drain', more)
      }
      response.once('close', resolve)
      more()
    }
  })
  await expect(fetchIt()).rejects.toThrow('larger than 256 KiB')
  await closed
  expect(sent).toBeLessThan(16 * 1024 * 1024)
})

test('a server that hangs is left when the deadline comes', async () => {
  answer = () => undefined
  await expect(fetchDocument(`${base}/jwks`, AbortSignal.timeout(50))).rejects.toThrow()
})
