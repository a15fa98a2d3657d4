import { createServer } from 'node:http'
import { createServer as createSilent, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { requestBody } from '../../../src/gateway/request-body.ts'
import { listenOn } from '../../../src/gateway/server.ts'
import { rawClient } from '../../support/raw-client.ts'
import { until } from '../../support/until.ts'
import { alike, countsOf, deadUrl, useScene } from './scene.ts'

const scene = useScene()

test('instances get their share, and none of them its whole share in one go', async () => {
  const weights = [5, 1, 1]
  const instances = await scene.arrange(3, (urls) => ({
    instances: urls.map((url, place) => ({ url, weight: weights[place] })),
  }))
  const order: number[] = []
  instances.forEach((instance, place) => {
    instance.behave((_incoming, outgoing) => {
      order.push(place)
      outgoing.end('ok')
    })
  })
  for (let i = 0; i < 14; i += 1) await scene.send(`GET /things/${i}`)
  expect(countsOf(instances)).toEqual([10, 2, 2])
  expect(order.join('')).toBe('00102000010200')
})

test('a path of an instance goes before the forwarded one', async () => {
  const instances = await scene.arrange(1, ([url]) => ({
    instances: [{ url: `${url ?? ''}/base` }],
  }))
  await scene.send('GET /things/1')
  expect(instances[0]?.requests[0]?.url).toBe('/base/things/1')
})

test('the access line names the instance that answered', async () => {
  const instances = await scene.arrange(2, (urls) => ({ instances: alike(urls) }))
  for (let i = 0; i < 4; i += 1) await scene.send(`GET /things/${i}`)
  await until(() => scene.gateway().inFlight() === 0)
  const named = scene.gateway().log.filter(({ verdict }) => verdict === 'forwarded')
  for (const { url, requests } of instances) {
    expect(named.filter(({ instance }) => instance === url)).toHaveLength(requests.length)
  }
})

test('where as many wait as may, one more is 503 with Retry-After, and those that wait are answered', async () => {
  const instances = await scene.arrange(1, (urls) => ({
    instances: alike(urls),
    ...{ connections: 1, maxPending: 1 },
  }))
  const held: (() => void)[] = []
  instances[0]?.behave((_incoming, outgoing) => {
    held.push(() => outgoing.end('late'))
  })
  const first = scene.send('GET /things/1')
  await until(() => held.length === 1)
  const second = scene.send('GET /things/2')
  await until(() => scene.gateway().inFlight() === 2)
  const third = await scene.send('GET /things/3')
  expect([third.status, third.field('Retry-After')]).toEqual([503, '1'])
  expect(third.json()).toMatchObject({ error: { code: 'SERVICE_UNAVAILABLE' } })
  held[0]?.()
  await until(() => held.length === 2)
  held[1]?.()
  expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual([200, 200])
  expect(countsOf(instances)).toEqual([2])
})

test('what is full at one instance goes to another that has room', async () => {
  const instances = await scene.arrange(2, (urls) => ({
    instances: alike(urls),
    ...{ connections: 1, maxPending: 0 },
  }))
  const held: (() => void)[] = []
  instances[0]?.behave((_incoming, outgoing) => {
    held.push(() => outgoing.end('late'))
  })
  const first = scene.send('GET /things/1')
  await until(() => held.length === 1)
  for (let i = 0; i < 3; i += 1) expect((await scene.send('GET /things/2')).status).toBe(200)
  expect(countsOf(instances)).toEqual([1, 3])
  held[0]?.()
  await first
})

test('the total deadline answers 504 before the answer has begun, and cuts it after', async () => {
  const instances = await scene.arrange(1, (urls) => ({
    instances: alike(urls),
    totalTimeoutMs: 100,
  }))
  instances[0]?.behave(() => undefined)
  const unanswered = await scene.send('GET /things/1')
  expect(unanswered.status).toBe(504)
  expect(unanswered.json()).toMatchObject({ error: { code: 'UPSTREAM_TIMEOUT' } })
  await until(() => instances[0]?.inFlight() === 0)

  instances[0]?.behave((_incoming, outgoing) => {
    outgoing.writeHead(200, { 'Content-Length': 10 })
    outgoing.write('half')
  })
  const client = await rawClient(scene.gateway().port)
  const { authorization } = scene.gateway().key
  client.send(`GET /things/2 HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`)
  expect(await client.ended()).toMatch(/half$/)
})

test('an answer that stops for longer than its deadline is cut; one that goes on is not, however long', async () => {
  const instances = await scene.arrange(1, (urls) => ({
    instances: alike(urls),
    idleTimeoutMs: 1_000,
  }))
  instances[0]?.behave((_incoming, outgoing) => {
    outgoing.writeHead(200, { 'Content-Length': 10 })
    outgoing.write('half')
  })
  const client = await rawClient(scene.gateway().port)
  const { authorization } = scene.gateway().key
  client.send(`GET /things/1 HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`)
  expect(await client.ended()).toMatch(/half$/)
  await until(() => instances[0]?.inFlight() === 0)

  instances[0]?.behave((_incoming, outgoing) => {
    let pieces = 0
    const timer = setInterval(() => {
      outgoing.write('p')
      pieces += 1
      if (pieces < 10) return
      clearInterval(timer)
      outgoing.end()
    }, 120)
  })
  expect((await scene.send('GET /things/2')).body).toBe('p'.repeat(10))
})

test('a connection that does not come about in time is 504, and nothing was sent', async () => {
  const sockets: Socket[] = []
  let received = ''
  // It accepts, and never says a word of TLS: to us the connection is not there yet.
  const silent = createSilent((socket) => {
    sockets.push(socket)
    socket
      .on('data', (bytes) => (received += bytes.toString('latin1')))
      .on('error', () => undefined)
  })
  const { port } = await listenOn(silent, '127.0.0.1', 0)
  const instances = await scene.arrange(1, () => ({
    urls: [`https://127.0.0.1:${port}`],
    connectTimeoutMs: 200,
  }))
  const answer = await scene.send('POST /things/1', ['Content-Length: 5'], 'hello')
  expect(answer.status).toBe(504)
  expect(answer.json()).toMatchObject({ error: { code: 'UPSTREAM_TIMEOUT' } })
  expect(sockets.length).toBeGreaterThan(0)
  expect(received).not.toContain('hello')
  expect(countsOf(instances)).toEqual([0])
  for (const socket of sockets) socket.destroy()
  silent.close()
})

test.each(['GET', 'POST'])(
  'a refused %s, of which no byte was written, goes to another instance with its body, once',
  async (method) => {
    const dead = await deadUrl()
    const instances = await scene.arrange(1, (urls) => ({ instances: alike([dead, ...urls]) }))
    for (let i = 0; i < 4; i += 1) {
      const { status } = await scene.send(`${method} /things/1`, ['Content-Length: 5'], 'hello')
      expect(status).toBe(200)
    }
    expect(countsOf(instances)).toEqual([4])
    expect(instances[0]?.requests.map(({ body }) => String(body))).toEqual(
      Array.from({ length: 4 }, () => 'hello'),
    )
  },
)

test('a POST whose connection breaks after it was sent is 502 and not sent again', async () => {
  const instances = await scene.arrange(2, (urls) => ({ instances: alike(urls) }))
  for (const instance of instances) instance.behave(({ socket }) => socket.destroy())
  const { status } = await scene.send('POST /things/1', ['Content-Length: 5'], 'hello')
  expect([status, countsOf(instances).reduce((sum, count) => sum + count)]).toEqual([502, 1])
  expect((await scene.send('POST /things/1')).status).toBe(502)
  expect(countsOf(instances).reduce((sum, count) => sum + count)).toBe(2)
})

test('a body that nobody came to read is let go of when its request has been answered', async () => {
  const bodies: { readonly destroyed: boolean }[] = []
  const server = createServer((incoming, outgoing) => {
    bodies.push(
      requestBody(incoming, outgoing, {
        maxBodyBytes: 10,
        minBytesPerSecond: 0,
        idleTimeoutMs: 20,
      }),
    )
    outgoing.end('refused')
  })
  const { port } = await listenOn(server, '127.0.0.1', 0)
  const client = await rawClient(port)
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab')
  await until(() => bodies[0]?.destroyed === true)
  client.close()
  server.close()
})
