import { createServer, type AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { ResponseControl } from '../../src/http1/exchange.ts'
import { ConnectionFailure, InvalidResponse, QueueTimeout } from '../../src/http1/failures.ts'
import { call, type Call } from './call.ts'
import { answering, at, ok, turn, turnsUntil, type Peer, type PeerConnection } from './peer.ts'
import { poolTo, scene } from './scene.ts'

const targets = (count: number): string[] => [...Array(count).keys()].map((place) => `/${place}`)

const bodiesOf = async (calls: readonly Call[]): Promise<string[]> =>
  (await Promise.all(calls.map(({ answer }) => answer))).map(({ body }) => body)

/** What the peer heard on a connection, in order. */
function targetsOn({ text }: PeerConnection): string[] {
  return [...text.matchAll(/^[A-Z]+ (\S+) HTTP/gm)].map(([, target = '']) => target)
}

/** Answer each request in a later turn; `most` is how many were on their way on one connection. */
function answerLater(peer: Peer): { most: number } {
  const count = { most: 0 }
  const answered = new Map<PeerConnection, number>()
  peer.listener = (connection, requests) => {
    const before = answered.get(connection) ?? 0
    count.most = Math.max(count.most, requests - before)
    void turn()
      .then(turn)
      .then(() => {
        answered.set(connection, before + 1)
        connection.write(ok(targetsOn(connection)[requests - 1] ?? ''))
      })
  }
  return count
}

describe('connections carry one request after another', () => {
  test('one after another, on one connection', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = answering(ok)
    for (const target of targets(20)) {
      expect((await call(pool, { target }).answer).body).toBe(target)
    }
    expect(peer.connections.map(targetsOn)).toEqual([targets(20)])
  })

  test('one at a time, on no more connections than there may be', async () => {
    const { peer, pool } = await scene({ connections: 3 })
    const count = answerLater(peer)
    const calls = targets(60).map((target) => call(pool, { target }))
    expect(pool.size).toBe(60)
    expect(await bodiesOf(calls)).toEqual(targets(60))
    expect(count.most).toBe(1)
    expect(peer.connections).toHaveLength(3)
    expect(pool.size).toBe(0)
  })

  test('those that wait leave in their order', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    answerLater(peer)
    const first = targets(10).map((target) => call(pool, { target }))
    await at(first, 0).answer
    const second = ['/a', '/b'].map((target) => call(pool, { target }))
    await bodiesOf([...first, ...second])
    expect(peer.connections.map(targetsOn)).toEqual([[...targets(10), '/a', '/b']])
  })

  test('none is opened before a request, and none for one that nobody waits for', async () => {
    const { peer, pool } = await scene()
    peer.listener = answering(ok)
    const body = new PassThrough()
    const gone = call(pool, { target: '/gone', body: { kind: 'stream', stream: body, bytes: 1 } })
    gone.leave()
    await turnsUntil(() => body.destroyed)
    await turn()
    expect([peer.connections.length, pool.size]).toEqual([0, 0])
    await call(pool).answer
    expect(peer.connections.map(targetsOn)).toEqual([['/']])
    expect(gone.heard).toMatchObject({ isStarted: false, isOver: false })
  })

  test('a request that nobody waits for any more never leaves the queue', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    const calls = targets(3).map((target) => call(pool, { target }))
    const connection = await peer.heard(0)
    at(calls, 1).leave()
    peer.listener = answering(ok)
    connection.write(ok('/0'))
    expect((await at(calls, 2).answer).body).toBe('/2')
    expect(targetsOn(connection)).toEqual(['/0', '/2'])
    expect(at(calls, 1).heard.isStarted).toBe(false)
  })

  test('one that is left while its connection opens leaves that to the next', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = answering(ok)
    const body = new PassThrough()
    const gone = call(pool, { target: '/gone', body: { kind: 'stream', stream: body, bytes: 1 } })
    const next = call(pool, { target: '/next' })
    setImmediate(() => {
      gone.leave()
    })
    expect((await next.answer).body).toBe('/next')
    expect(peer.connections.map(targetsOn)).toEqual([['/next']])
    expect([gone.heard.isStarted, body.destroyed]).toEqual([false, true])
  })

  test('a name that has several addresses is reached at the one that listens', async () => {
    const { peer } = await scene()
    peer.listener = answering(ok)
    const pool = poolTo(new URL(`http://localhost:${peer.port}`))
    expect((await call(pool, { target: '/x' }).answer).body).toBe('/x')
    expect(at(peer.connections, 0).text).toContain(`host: localhost:${peer.port}\r\n`)
  })
})

describe('whoever waits too long for a connection is told so', () => {
  test('and the others get theirs', async () => {
    const { peer, pool } = await scene({ connections: 1, queueMs: 50 })
    const first = call(pool)
    const body = new PassThrough()
    const second = call(pool, { body: { kind: 'stream', stream: body, bytes: undefined } })
    const third = call(pool)
    const connection = await peer.heard(0)
    await expect(second.answer).rejects.toBeInstanceOf(QueueTimeout)
    await expect(third.answer).rejects.toBeInstanceOf(QueueTimeout)
    expect([second.heard.isStarted, body.destroyed, pool.size]).toEqual([false, true, 1])
    const fourth = call(pool, { target: '/4' })
    peer.listener = answering(ok)
    connection.write(ok('1'))
    expect(await bodiesOf([first, fourth])).toEqual(['1', '/4'])
    expect(targetsOn(connection)).toEqual(['/', '/4'])
  })

  test('but for those who have left meanwhile', async () => {
    const { peer, pool } = await scene({ connections: 1, queueMs: 50 })
    call(pool)
    const left = call(pool)
    const waiting = call(pool)
    await peer.heard(0)
    left.leave()
    await expect(waiting.answer).rejects.toBeInstanceOf(QueueTimeout)
    expect(left.heard.isOver).toBe(false)
    expect(pool.size).toBe(1)
  })
})

const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL'

describe('what nobody asked for reaches nobody', () => {
  const unasked = [evil, 'EVIL', '\r\n', '\n', '\0', 'HTTP/1.1 408 x\r\n\r\n']

  test.each(unasked)('on a connection that rests: %j', async (bytes) => {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = answering(ok)
    await call(pool).answer
    at(peer.connections, 0).write(bytes)
    await turnsUntil(() => peer.open() === 0)
    expect((await call(pool, { target: '/mine' }).answer).body).toBe('/mine')
    expect(peer.connections.map(targetsOn)).toEqual([['/'], ['/mine']])
  })

  test.each(unasked)('behind an answer, in one piece with it: %j', async (bytes) => {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = answering((target) => ok(target) + bytes)
    const calls = targets(5).map((target) => call(pool, { target }))
    expect(await bodiesOf(calls)).toEqual(targets(5))
    expect(peer.connections.map(targetsOn)).toEqual(targets(5).map((target) => [target]))
  })

  // As soon as an answer has been read; the next request, which waits, must not leave before that is read.
  test.each(unasked)('behind an answer, apart from it: %j', async (bytes) => {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = answering(ok)
    const onEnd = (): void => {
      peer.connections.at(-1)?.write(bytes)
    }
    const calls = targets(5).map((target) => call(pool, { target }, { onEnd }))
    expect(await bodiesOf(calls)).toEqual(targets(5))
    expect(peer.connections.map(targetsOn)).toEqual(targets(5).map((target) => [target]))
  })

  test.each([
    ['a chunked body', 'HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n'],
    ['no body', 'HTTP/1.1 204 x\r\n\r\n'],
    ['an empty body', ok('')],
    ['a body that ends later', ok('a'.repeat(100_000))],
  ])('behind %s', async (_name, answer) => {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = answering(answer + evil)
    const calls = targets(3).map((target) => call(pool, { target }))
    for (const body of await bodiesOf(calls)) expect(body).not.toContain('EVIL')
    expect(peer.connections.map(targetsOn)).toEqual(targets(3).map((target) => [target]))
  })

  test('on a connection whose next request has not sent a byte yet', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = answering(ok)
    await call(pool).answer
    const stream = new PassThrough()
    const next = call(pool, { method: 'POST', body: { kind: 'stream', stream, bytes: 3 } })
    await turnsUntil(() => next.heard.isStarted)
    at(peer.connections, 0).write(evil)
    await expect(next.answer).rejects.toBeInstanceOf(InvalidResponse)
    expect([next.heard.status, stream.destroyed, peer.connections.length]).toEqual([0, true, 1])
  })
})

describe('whether a connection is used again', () => {
  type Row = readonly [name: string, answer: string, method: string | undefined]
  const row = (name: string, answer: string, method?: string): Row => [name, answer, method]

  /** Ask twice, and tell how many connections that took. */
  async function connectionsFor(answer: string, method = 'GET'): Promise<number> {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = (connection) => {
      connection.write(answer)
      if (/^HTTP\/1\.. 200 until/.test(answer)) connection.socket.end()
    }
    const [first, second] = [call(pool, { method }), call(pool, { method })]
    await bodiesOf([first, second])
    for (const { text } of peer.connections) {
      expect(text).toContain(`connection: ${method === 'HEAD' ? 'close' : 'keep-alive'}\r\n`)
    }
    const used = peer.connections.length
    expect(peer.connections.map((each) => targetsOn(each).length)).toEqual(
      used === 1 ? [2] : [1, 1],
    )
    if (used === 2) await turnsUntil(() => peer.open() === 0)
    return used
  }

  test.each<Row>([
    row('HEAD', 'HTTP/1.1 200 OK\r\n\r\n', 'HEAD'),
    row('HEAD with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n', 'HEAD'),
    row('HEAD with a body', ok('EVIL'), 'HEAD'),
    row('204 with a length', 'HTTP/1.1 204 x\r\nContent-Length: 4\r\n\r\n'),
    row('204 with a body', 'HTTP/1.1 204 x\r\nContent-Length: 4\r\n\r\nEVIL'),
    row('304 with a length', 'HTTP/1.1 304 x\r\nContent-Length: 4\r\n\r\n'),
    row('304 with chunks', 'HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n'),
    row('Connection: close', ok('hi', 'Connection: close')),
    row('Connection: close among others', ok('hi', 'Connection: a, Close')),
    row('a rest of no time', ok('hi', 'Keep-Alive: timeout=1')),
    row('HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi'),
    row('a body until the end', 'HTTP/1.1 200 until\r\n\r\nhi'),
  ])('not after %s', async (_name, answer, method) => {
    expect(await connectionsFor(answer, method)).toBe(2)
  })

  test.each<Row>([
    row('a sized body', ok('hi')),
    row('an empty body', ok('')),
    row('chunks', 'HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n'),
    row('204', 'HTTP/1.1 204 x\r\n\r\n'),
    row('304', 'HTTP/1.1 304 x\r\n\r\n'),
    row('an interim answer', `HTTP/1.1 103 x\r\nConnection: close\r\n\r\n${ok('hi')}`),
    row('a rest of a minute', ok('hi', 'Keep-Alive: timeout=60')),
    row('HTTP/1.0 that says so', ok('hi', 'Connection: keep-alive').replace('1.1', '1.0')),
    row('an error', ok('hi').replace('200', '500')),
  ])('after %s', async (_name, answer, method) => {
    expect(await connectionsFor(answer, method)).toBe(1)
  })

  test('not after the other end has closed it', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = answering(ok)
    await call(pool).answer
    at(peer.connections, 0).socket.end()
    await turnsUntil(() => peer.open() === 0)
    expect((await call(pool, { target: '/next' }).answer).body).toBe('/next')
    expect(peer.connections.map(targetsOn)).toEqual([['/'], ['/next']])
  })

  test('not after whoever heard its answer has cut it with the last piece', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = answering(ok)
    const onEnd = (control: ResponseControl): void => {
      control.abort(new Error('enough'))
    }
    await call(pool, {}, { onEnd }).answer
    await turnsUntil(() => peer.open() === 0)
    expect(pool.size).toBe(0)
    expect((await call(pool, { target: '/next' }).answer).body).toBe('/next')
    expect(peer.connections.map(targetsOn)).toEqual([['/'], ['/next']])
  })
})

describe('an answer that does not come whole is a failure, and the next request gets its own', () => {
  const head = 'HTTP/1.1 200 OK\r\n'
  const inChunks = `${head}Transfer-Encoding: chunked\r\n\r\n`

  test.each<readonly [string, (connection: PeerConnection) => void, object]>([
    ['closed at once', ({ socket }) => socket.end(), { code: 'CONNECTION_CLOSED' }],
    ['reset', ({ socket }) => socket.resetAndDestroy(), { code: 'ECONNRESET' }],
    ['half a head', ({ socket }) => socket.end(`${head}A: b`), { code: 'CONNECTION_CLOSED' }],
    [
      'interim alone',
      ({ socket }) => socket.end('HTTP/1.1 100 x\r\n\r\n'),
      { code: 'CONNECTION_CLOSED' },
    ],
    [
      'a body that is too short',
      ({ socket }) => socket.end(`${head}Content-Length: 3\r\n\r\nhi`),
      { code: 'CONNECTION_CLOSED' },
    ],
    [
      'chunks without end',
      ({ socket }) => socket.end(`${inChunks}2\r\nhi\r\n`),
      { code: 'CONNECTION_CLOSED' },
    ],
    [
      'trailers without end',
      ({ socket }) => socket.end(`${inChunks}0\r\nA: b\r\n`),
      { code: 'CONNECTION_CLOSED' },
    ],
    [
      'broken chunks',
      (connection) => {
        connection.write(`${inChunks}2\r\nhi\r\nzz\r\n`)
      },
      expect.any(InvalidResponse),
    ],
    [
      'something else than HTTP',
      (connection) => {
        connection.write('SSH-2.0-x\r\n\r\n')
      },
      expect.any(InvalidResponse),
    ],
    [
      'a head that is too long',
      (connection) => {
        connection.write(`${head}A: ${'a'.repeat(33_000)}`)
      },
      expect.any(InvalidResponse),
    ],
    [
      'an interim head that is too long',
      (connection) => {
        connection.write(`HTTP/1.1 103 x\r\nA: ${'a'.repeat(33_000)}\r\n\r\n`)
      },
      expect.any(InvalidResponse),
    ],
  ])('%s', async (_name, say, failure) => {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = say
    const [first, second] = [call(pool), call(pool, { target: '/second' })]
    await expect(first.answer).rejects.toMatchObject(failure)
    peer.listener = answering(ok)
    expect((await second.answer).body).toBe('/second')
    expect(peer.connections.map(targetsOn)).toEqual([['/'], ['/second']])
  })

  test('a port that nobody listens on', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const pool = poolTo(new URL(`http://127.0.0.1:${port}`), { connections: 1 })
    const stream = new PassThrough()
    const calls = [call(pool, { body: { kind: 'stream', stream, bytes: 1 } }), call(pool)]
    for (const { answer, heard } of calls) {
      await expect(answer).rejects.toMatchObject({ code: 'ECONNREFUSED' })
      expect(heard.isStarted).toBe(false)
    }
    expect([stream.destroyed, pool.size]).toEqual([true, 0])
  })

  test('what whoever listens throws cuts the connection, and comes back to him', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = answering((target) => ok(target.padEnd(100_000)))
    const thrown = new Error('mine')
    const step = () => {
      throw thrown
    }
    for (const steps of [{ onStart: step }, { onHead: step }, { onPiece: step }]) {
      await expect(call(pool, {}, steps).answer).rejects.toBe(thrown)
    }
    expect((await call(pool, { target: '/next' }).answer).body.trim()).toBe('/next')
    await turnsUntil(() => peer.open() === 1)
  })
})

describe('a pool that closes', () => {
  test('lets what waits and what is under way end first', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    const calls = targets(4).map((target) => call(pool, { target }))
    const connection = await peer.heard(0)
    let isClosed = false
    const closing = pool.close().then(() => (isClosed = true))
    const late = call(pool)
    await expect(late.answer).rejects.toMatchObject({ code: 'POOL_CLOSED' })
    await expect(late.answer).rejects.toBeInstanceOf(ConnectionFailure)
    expect(isClosed).toBe(false)
    peer.listener = answering(ok)
    connection.write(ok('/0'))
    expect(await bodiesOf(calls)).toEqual(targets(4))
    await closing
    // An instance that goes may open nothing more.
    expect(peer.connections.map(targetsOn)).toEqual([targets(4)])
    await turnsUntil(() => peer.open() === 0)
  })

  test('closes what rests, and is closed at once where nothing is open', async () => {
    const { peer, pool } = await scene()
    await poolTo(peer.url).close()
    peer.listener = answering(ok)
    await bodiesOf([call(pool), call(pool)])
    expect(peer.open()).toBe(2)
    await Promise.all([pool.close(), pool.close()])
    await turnsUntil(() => peer.open() === 0)
  })

  test('destroys the body of a request that it does not take', async () => {
    const { peer, pool } = await scene()
    await pool.close()
    const stream = new PassThrough()
    const late = call(pool, { body: { kind: 'stream', stream, bytes: 1 } })
    expect(late.heard.isOver).toBe(false)
    await expect(late.answer).rejects.toMatchObject({ code: 'POOL_CLOSED' })
    expect([stream.destroyed, peer.connections.length]).toEqual([true, 0])
  })

  test('is closed where the last requests waited in vain, or failed', async () => {
    const { peer, pool } = await scene({ connections: 1, queueMs: 50 })
    const [first, second] = [call(pool), call(pool)]
    const connection = await peer.heard(0)
    const closing = pool.close()
    await expect(second.answer).rejects.toBeInstanceOf(QueueTimeout)
    connection.socket.destroy()
    await expect(first.answer).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    await closing
  })
})
