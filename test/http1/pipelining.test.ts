import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ResponseControl } from '../../src/http1/exchange.ts'
import { InvalidResponse } from '../../src/http1/failures.ts'
import { call, type Call } from './call.ts'
import { answering, at, ok, turn, turnsUntil, type Peer, type PeerConnection } from './peer.ts'
import { poolTo, scene } from './scene.ts'

const closed = { code: 'CONNECTION_CLOSED' }

function targets(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `/${i}`)
}

function targetsOn({ text }: PeerConnection): string[] {
  return text.split('\r\n\r\n').flatMap((head) => head.split(' ')[1] ?? [])
}

async function bodiesOf(calls: readonly Call[]): Promise<string[]> {
  return Promise.all(calls.map(async ({ answer }) => (await answer).body))
}

/** Requests that are under way on one connection, none of which has an answer yet. */
async function underWay(
  count: number,
  options: Parameters<typeof scene>[0] = {},
): Promise<{ readonly peer: Peer; readonly calls: Call[]; readonly connection: PeerConnection }> {
  const { peer, pool } = await scene({ connections: 1, pipelining: 8, ...options })
  const calls = targets(count).map((target) => call(pool, { target }))
  const connection = await peer.heard(0, count)
  return { peer, calls, connection }
}

describe('requests go one behind another', () => {
  test('without waiting for answers, which each hears its own of', async () => {
    const { calls, connection } = await underWay(8)
    expect(targetsOn(connection)).toEqual(targets(8))
    connection.write(
      targets(8)
        .map((target) => ok(target))
        .join(''),
    )
    expect(await bodiesOf(calls)).toEqual(targets(8))
  })

  test('on one that is used, in one write', async () => {
    const { peer, pool } = await scene({ connections: 1, pipelining: 8 })
    peer.listener = answering(ok)
    await call(pool).answer
    let pieces = 0
    at(peer.connections, 0).socket.on('data', () => (pieces += 1))
    const calls = targets(8).map((target) => call(pool, { target }))
    // What answers each request answers the last of a piece alone.
    peer.listener = () => undefined
    const connection = await peer.heard(0, 9)
    connection.write(
      targets(8)
        .map((target) => ok(target))
        .join(''),
    )
    expect(await bodiesOf(calls)).toEqual(targets(8))
    expect(pieces).toBe(1)
  })

  test('up to the depth; the next goes on another connection, or waits', async () => {
    const { peer, pool } = await scene({ connections: 2, pipelining: 3 })
    const calls = targets(8).map((target) => call(pool, { target }))
    await peer.heard(0, 3)
    await peer.heard(1, 3)
    await turn()
    expect([pool.size, peer.connections.map(targetsOn)]).toEqual([
      8,
      [targets(3), ['/3', '/4', '/5']],
    ])
    at(peer.connections, 1).write(ok('/3'))
    expect((await at(calls, 3).answer).body).toBe('/3')
    expect(targetsOn(await peer.heard(1, 4))).toEqual(['/3', '/4', '/5', '/6'])
    peer.listener = (connection) => {
      connection.write(ok('/7'))
    }
    at(peer.connections, 0).write(ok('/0') + ok('/1') + ok('/2'))
    at(peer.connections, 1).write(ok('/4') + ok('/5') + ok('/6'))
    expect((await bodiesOf(calls)).toSorted()).toEqual(targets(8))
    expect(pool.size).toBe(0)
  })

  test('whose caller has left meanwhile is not sent', async () => {
    const { peer, pool } = await scene({ connections: 1, pipelining: 8 })
    const [first, gone, last] = targets(3).map((target) => call(pool, { target }))
    gone?.leave()
    const connection = await peer.heard(0, 2)
    connection.write(ok('first') + ok('last'))
    expect([(await first?.answer)?.body, (await last?.answer)?.body]).toEqual(['first', 'last'])
    expect(targetsOn(connection)).toEqual(['/0', '/2'])
  })

  test('but never with a body', async () => {
    const { pool } = await scene({ pipelining: 8 })
    const stream = new PassThrough()
    const refused = call(pool, { method: 'POST', body: { kind: 'stream', stream, bytes: 1 } })
    await expect(refused.answer).rejects.toBeInstanceOf(TypeError)
    expect(stream.destroyed).toBe(true)
  })

  test('and what would break a line harms none of the others', async () => {
    const { peer, pool } = await scene({ connections: 1, pipelining: 8 })
    const calls = ['/0', '/\r\n', '/2'].map((target) => call(pool, { target }))
    await expect(at(calls, 1).answer).rejects.toBeInstanceOf(TypeError)
    const connection = await peer.heard(0, 2)
    connection.write(ok('/0') + ok('/2'))
    expect((await at(calls, 2).answer).body).toBe('/2')
    expect(targetsOn(connection)).toEqual(['/0', '/2'])
  })
})

describe('answers are told apart', () => {
  const chunked = (body: string): string =>
    `HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  const answer = fc.oneof(
    fc.string({ minLength: 1, maxLength: 40 }).map((body) => ({ body, text: ok(body) })),
    fc.string({ minLength: 1, maxLength: 40 }).map((body) => ({ body, text: chunked(body) })),
    fc.constant({ body: '', text: 'HTTP/1.1 204 x\r\n\r\n' }),
    fc.constant({ body: '', text: `HTTP/1.1 103 x\r\nLink: <a>\r\n\r\n${ok('')}` }),
    fc.constant({ body: 'b'.repeat(20_000), text: ok('b'.repeat(20_000)) }),
  )

  test('wherever the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(answer, { minLength: 2, maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        async (answers, places) => {
          const { peer, pool } = await scene({ connections: 1, pipelining: 8 })
          const calls = answers.map((_, i) => call(pool, { target: `/${i}` }))
          const connection = await peer.heard(0, answers.length)
          const text = answers.map((each) => each.text).join('')
          const cuts = places.map((place) => place % text.length).toSorted((a, b) => a - b)
          for (const [index, cut] of [...cuts, text.length].entries()) {
            connection.write(text.slice(index === 0 ? 0 : cuts[index - 1], cut))
            await turn()
          }
          expect(await bodiesOf(calls)).toEqual(answers.map(({ body }) => body))
          await pool.close()
          await peer.close()
        },
      ),
      { numRuns: 60 },
    )
  })

  test.each(['EVIL', ok('EVIL'), '\r\n'])(
    'and one that nobody asked for closes the connection: %j',
    async (bytes) => {
      const { peer, calls, connection } = await underWay(2)
      connection.write(ok('/0') + ok('/1') + bytes)
      expect(await bodiesOf(calls)).toEqual(targets(2))
      await turnsUntil(() => peer.open() === 0)
    },
  )
})

describe('what ends a connection', () => {
  const ending: readonly (readonly [string, (connection: PeerConnection) => void])[] = [
    [
      'Connection: close',
      (peer) => {
        peer.write(ok('/0', 'Connection: close'))
      },
    ],
    [
      'its end',
      (peer) => {
        peer.socket.end(ok('/0'), 'latin1')
      },
    ],
    [
      'a body until the end',
      (peer) => {
        peer.socket.end('HTTP/1.1 200 x\r\n\r\n/0', 'latin1')
      },
    ],
  ]

  test.each(ending)('fails those behind it, which can be sent again: %s', async (_name, end) => {
    const { peer, calls, connection } = await underWay(3)
    end(connection)
    expect((await at(calls, 0).answer).body).toBe('/0')
    await expect(at(calls, 1).answer).rejects.toMatchObject(closed)
    await expect(at(calls, 2).answer).rejects.toMatchObject(closed)
    await turnsUntil(() => peer.open() === 0)
  })

  test('an answer that is none is its own request’s fault alone', async () => {
    const { calls, connection } = await underWay(3)
    connection.write(
      ok('/0') + 'HTTP/1.1 200 x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    )
    expect((await at(calls, 0).answer).body).toBe('/0')
    await expect(at(calls, 1).answer).rejects.toBeInstanceOf(InvalidResponse)
    await expect(at(calls, 2).answer).rejects.toMatchObject(closed)
  })

  test('no answer in time is the first one’s', async () => {
    const { calls, connection } = await underWay(3, { headMs: 40 })
    connection.write(ok('/0'))
    expect((await at(calls, 0).answer).body).toBe('/0')
    await expect(at(calls, 1).answer).rejects.toMatchObject({ code: 'HEAD_TIMEOUT' })
    await expect(at(calls, 2).answer).rejects.toMatchObject(closed)
  })

  test('no answer in time on a connection that was used before', async () => {
    const { peer, pool } = await scene({ connections: 1, pipelining: 8, headMs: 40 })
    peer.listener = answering(ok)
    await call(pool).answer
    peer.listener = () => undefined
    await expect(call(pool).answer).rejects.toMatchObject({ code: 'HEAD_TIMEOUT' })
  })

  test('a body that stops is its own', async () => {
    const { calls, connection } = await underWay(2, { bodyMs: 40 })
    connection.write('HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\nhalf')
    await expect(at(calls, 0).answer).rejects.toMatchObject({ code: 'BODY_TIMEOUT' })
    await expect(at(calls, 1).answer).rejects.toMatchObject(closed)
  })

  test('that it cannot be opened is told to all', async () => {
    const { peer } = await scene()
    const { url } = peer
    await peer.close()
    const pool = poolTo(url, { connections: 1, pipelining: 8 })
    for (const { answer } of targets(3).map((target) => call(pool, { target }))) {
      await expect(answer).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    }
    expect(pool.size).toBe(0)
  })

  test('that it rests for its time', async () => {
    const { peer, calls, connection } = await underWay(2, { restMs: 40 })
    connection.write(ok('/0') + ok('/1'))
    expect(await bodiesOf(calls)).toEqual(targets(2))
    await turnsUntil(() => peer.open() === 0)
  })

  test('a pool that closes, once all have their answers', async () => {
    const { peer, pool } = await scene({ connections: 1, pipelining: 2 })
    const calls = targets(3).map((target) => call(pool, { target }))
    let isClosed = false
    const closing = pool.close().then(() => (isClosed = true))
    const connection = await peer.heard(0, 2)
    connection.write(ok('/0') + ok('/1'))
    await peer.heard(0, 3)
    await turn()
    expect(isClosed).toBe(false)
    connection.write(ok('/2'))
    expect(await bodiesOf(calls)).toEqual(targets(3))
    await closing
    await turnsUntil(() => peer.open() === 0)
  })
})

describe('whoever gives up', () => {
  const reason = new Error('given up')

  test('while it waits, is nobody else’s loss: its answer is read over', async () => {
    const { calls, connection } = await underWay(4)
    at(calls, 0).control().abort(reason)
    at(calls, 2).control().abort(reason)
    await expect(at(calls, 0).answer).rejects.toBe(reason)
    connection.write(
      targets(4)
        .map((target) => ok(target))
        .join(''),
    )
    expect((await at(calls, 1).answer).body).toBe('/1')
    await expect(at(calls, 2).answer).rejects.toBe(reason)
    expect((await at(calls, 3).answer).body).toBe('/3')
  })

  test('while its answer comes, cuts the connection', async () => {
    const { peer, calls, connection } = await underWay(2)
    connection.write('HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\nhalf')
    await turnsUntil(() => at(calls, 0).heard.bytes === 4)
    at(calls, 0).control().abort(reason)
    await expect(at(calls, 0).answer).rejects.toBe(reason)
    await expect(at(calls, 1).answer).rejects.toMatchObject(closed)
    await turnsUntil(() => peer.open() === 0)
  })

  test('before a long answer comes, keeps nobody waiting behind it', async () => {
    const { peer, calls, connection } = await underWay(2)
    at(calls, 0).control().abort(reason)
    connection.write('HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\nhalf')
    await expect(at(calls, 1).answer).rejects.toMatchObject(closed)
    await turnsUntil(() => peer.open() === 0)
  })

  test('last of all, closes the connection', async () => {
    const { peer, calls } = await underWay(2)
    for (const each of calls) each.control().abort(reason)
    await turnsUntil(() => peer.open() === 0)
  })

  test('as soon as it is sent, is no obstacle', async () => {
    const { peer, pool } = await scene({ connections: 1, pipelining: 8 })
    const onStart = (control: { abort(reason: Error): void }): void => {
      control.abort(reason)
    }
    const [first, given, last] = [call(pool), call(pool, {}, { onStart }), call(pool)]
    await expect(given.answer).rejects.toBe(reason)
    const connection = await peer.heard(0, 3)
    connection.write(ok('first') + ok('') + ok('last'))
    expect([(await first.answer).body, (await last.answer).body]).toEqual(['first', 'last'])
  })
})

test('who wants no more for now holds up those behind, and loses nothing', async () => {
  const { peer, pool } = await scene({ connections: 1, pipelining: 8, bodyMs: 40 })
  const body = 'a'.repeat(300_000)
  let pieces = 0
  const onPiece = (control: ResponseControl): void => {
    pieces += 1
    if (pieces !== 2) return
    control.pause()
    // Longer than the other end may pause.
    setTimeout(() => {
      control.resume()
    }, 120)
  }
  const calls = [call(pool, { target: '/long' }, { onPiece }), call(pool, { target: '/next' })]
  const connection = await peer.heard(0, 2)
  connection.write(ok(body) + ok('next'))
  expect((await bodiesOf(calls)).map((each) => each.length)).toEqual([300_000, 4])
  expect(pieces).toBeGreaterThan(2)
})

test('who wants no more, and has all, holds up nobody', async () => {
  const { peer, pool } = await scene({ connections: 1, pipelining: 8 })
  const onHead = (control: ResponseControl): void => {
    control.pause()
  }
  const calls = [call(pool, { target: '/0' }, { onHead }), call(pool, { target: '/1' })]
  const connection = await peer.heard(0, 2)
  connection.write(ok('/0'))
  expect((await at(calls, 0).answer).body).toBe('/0')
  connection.write(ok('/1'))
  expect((await at(calls, 1).answer).body).toBe('/1')
})
