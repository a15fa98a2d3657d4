import { expect, test } from 'vitest'
import { call } from './call.ts'
import { answering } from './peer.ts'
import { scene } from './scene.ts'

const head = 'HTTP/1.1 200 OK\r\n'
const long = 'a'.repeat(20_000)

test.each([
  ['a short body of a length', `${head}Content-Length: 3\r\n\r\nabc`, 'abc', true],
  [
    'one in chunks',
    `${head}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n`,
    'abc',
    true,
  ],
  [
    'one that has trailers, which come behind it',
    `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n`,
    'abc',
    false,
  ],
  ['none', `${head}Content-Length: 0\r\n\r\n`, '', false],
  ['a long one', `${head}Content-Length: 20000\r\n\r\n${long}`, long, false],
  [
    'a long one in a chunk',
    `${head}Transfer-Encoding: chunked\r\n\r\n4e20\r\n${long}\r\n0\r\n\r\n`,
    long,
    false,
  ],
])('what comes with its head, %s', async (_name, bytes, body, cameWhole) => {
  const { peer, pool } = await scene({ connections: 1 })
  peer.listener = answering(bytes)
  const answers = [await call(pool).answer, await call(pool).answer]
  for (const answer of answers) expect(answer).toMatchObject({ status: 200, body, cameWhole })
  expect(peer.connections.length).toBe(1)
})

test('a body of which the end comes later is handed over in pieces', async () => {
  const { peer, pool } = await scene()
  const asked = call(pool)
  const connection = await peer.heard(0)
  connection.write(`${head}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n`)
  await expect.poll(() => asked.heard.bytes).toBe(2)
  connection.write('1\r\nc\r\n0\r\n\r\n')
  expect(await asked.answer).toMatchObject({ body: 'abc', cameWhole: false })
})
