import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDemoUpstream, type DemoUpstream } from '../../src/demo/upstream.ts'

let upstream: DemoUpstream
let origin: string

beforeAll(async () => {
  upstream = await startDemoUpstream({ host: '127.0.0.1', port: 0 })
  origin = `http://127.0.0.1:${upstream.port}`
})
afterAll(() => upstream.close())

const identity = {
  'Gatehouse-Principal-Id': 'u-1',
  'Gatehouse-Organization-Id': 'o-1',
  'Gatehouse-Request-Id': 'r-1',
}
const caller = { principal: 'u-1', organization: 'o-1', requestId: 'r-1' }

async function json(path: string): Promise<unknown> {
  return (await fetch(`${origin}${path}`, { headers: identity })).json()
}

test('it says who the gateway says is calling', async () => {
  expect(await json('/demo/v1/hello')).toEqual({
    message: 'Hello from behind the gateway',
    ...caller,
  })
  expect(await (await fetch(`${origin}/demo/v1/hello`)).json()).toEqual({
    message: 'Hello from behind the gateway',
  })
})

test('it sends an identifier back decoded, slashes included', async () => {
  expect(await json('/demo/v1/items/a%2Fb%20c')).toEqual({ id: 'a/b c', ...caller })
})

test('it sends bodies back byte by byte, with their type', async () => {
  const body = randomBytes(1_000_000)
  const headers = { 'Content-Type': 'image/x-noise' }
  const response = await fetch(`${origin}/demo/v1/echo`, { method: 'POST', body, headers })
  expect(response.headers.get('Content-Type')).toBe('image/x-noise')
  expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true)
})

test('it echoes a piece before the next arrives', async () => {
  const socket = connect(upstream.port, '127.0.0.1')
  const arrived = new Promise<string>((resolve) => {
    let text = ''
    socket.on('data', (data: Buffer) => {
      text += data.toString()
      if (text.includes('first')) resolve(text)
    })
  })
  socket.write('POST /demo/v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
  socket.write('5\r\nfirst\r\n')
  expect(await arrived).toMatch(/^HTTP\/1\.1 200 /)
  socket.destroy()
})

test.each(['0', '-1', 'soon', ''])(
  'it waits for no time where %j seconds are asked',
  async (seconds) => {
    expect(await json(`/demo/v1/slow?seconds=${seconds}`)).toEqual({
      message: 'Answered after 0 seconds',
      ...caller,
    })
  },
)

test('a port that is taken is an error, not a silence', async () => {
  await expect(startDemoUpstream({ host: '127.0.0.1', port: upstream.port })).rejects.toMatchObject(
    {
      code: 'EADDRINUSE',
    },
  )
})

test('it closes while connections are open', async () => {
  const other = await startDemoUpstream({ host: '127.0.0.1', port: 0 })
  const socket = connect(other.port, '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await other.close()
  await closed
})
