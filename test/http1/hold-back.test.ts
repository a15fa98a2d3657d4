import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { ResponseControl } from '../../src/http1/exchange.ts'
import { call } from './call.ts'
import { answering, at, ok, turnsUntil, type PeerConnection } from './peer.ts'
import { scene } from './scene.ts'

/** More than the system takes on both sides of a connection. */
const largeBytes = 30_000_000
const large = Buffer.alloc(largeBytes, 'abcdefg')
const sized = `HTTP/1.1 200 OK\r\nContent-Length: ${largeBytes}\r\n\r\n`

/** Write all of it, and tell how much has not left yet. */
function writeLarge({ socket }: PeerConnection, head: string): () => number {
  socket.write(head)
  socket.write(large)
  return () => socket.writableLength
}

/** Wait until a number changes no more. */
async function settled(count: () => number): Promise<number> {
  let [last, same] = [count(), 0]
  await turnsUntil(() => {
    const now = count()
    same = now === last ? same + 1 : 0
    last = now
    return same > 500
  })
  return last
}

const holding = {
  onHead: (control: ResponseControl): void => {
    control.pause()
  },
}

describe('whoever hears an answer can hold it back', () => {
  test.each([
    ['of a known length', sized, ''],
    ['until the end', 'HTTP/1.1 200 OK\r\n\r\n', ''],
    [
      'in chunks',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${largeBytes.toString(16)}\r\n`,
      '\r\n0\r\n\r\n',
    ],
  ])('and then the other end is not read: %s', async (_name, head, end) => {
    const { peer, pool } = await scene({ connections: 1 })
    const request = call(pool, {}, holding)
    const connection = await peer.heard(0)
    const unsent = writeLarge(connection, head)
    connection.write(end)
    if (!/\r\n[CT]/.test(head)) connection.socket.end()
    await turnsUntil(() => request.heard.status === 200)
    expect(await settled(unsent)).toBeGreaterThan(largeBytes / 3)
    // What was read already still comes: one piece at most.
    expect(request.heard.bytes).toBeLessThanOrEqual(65_536)
    request.control().resume()
    const { body } = await request.answer
    expect(Buffer.from(body, 'latin1').equals(large)).toBe(true)
  })

  test('again and again, and nothing is lost', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    let pauses = 0
    const onPiece = (control: ResponseControl): void => {
      control.pause()
      pauses += 1
      setImmediate(() => {
        control.resume()
      })
    }
    const request = call(pool, {}, { onPiece })
    writeLarge(await peer.heard(0), sized)
    const { body } = await request.answer
    expect(Buffer.from(body, 'latin1').equals(large)).toBe(true)
    expect(pauses).toBeGreaterThan(100)
  })

  test('but not beyond its end: the next one comes', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    const long = 'a'.repeat(20_000)
    peer.listener = answering((target) => ok(target + long))
    const hold = { onPiece: holding.onHead }
    expect((await call(pool, { target: '/1' }, hold).answer).body).toBe(`/1${long}`)
    expect((await call(pool, { target: '/2' }).answer).body).toBe(`/2${long}`)
    expect(peer.connections).toHaveLength(1)
  })
})

describe('whoever waits for an answer can cut it off', () => {
  const reason = new Error('enough')
  const cut = (control: ResponseControl): void => {
    control.abort(reason)
  }

  test('as the request leaves: nothing is sent', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = answering(ok)
    const stream = new PassThrough()
    stream.end('abc')
    const body = { kind: 'stream', stream, bytes: 3 } as const
    const request = call(pool, { method: 'POST', body }, { onStart: cut })
    await expect(request.answer).rejects.toBe(reason)
    expect(stream.destroyed).toBe(true)
    await call(pool).answer
    expect(peer.connections.map(({ text }) => text.split(' ')[0])).toEqual(['', 'GET'])
  })

  test('while the head is awaited', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    const [request, next] = [call(pool), call(pool, { target: '/next' })]
    const connection = await peer.heard(0)
    peer.listener = answering(ok)
    request.control().abort(reason)
    expect(request.heard.isOver, 'before it returns').toBe(true)
    await expect(request.answer).rejects.toBe(reason)
    expect((await next.answer).body).toBe('/next')
    await turnsUntil(() => connection.isClosed)
    expect(peer.connections).toHaveLength(2)
  })

  test('while the body is sent', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    const stream = new PassThrough()
    stream.write('abc')
    const body = { kind: 'stream', stream, bytes: 6 } as const
    const request = call(pool, { method: 'POST', body })
    await turnsUntil(() => peer.connections[0]?.text.endsWith('abc') === true)
    request.control().abort(reason)
    await expect(request.answer).rejects.toBe(reason)
    expect(stream.destroyed).toBe(true)
    await turnsUntil(() => at(peer.connections, 0).isClosed)
  })

  test.each<[string, object]>([
    ['with the head', { onHead: cut }],
    ['with a piece', { onPiece: cut }],
    ['with a piece that was held back', { onHead: holding.onHead, onPiece: cut }],
  ])('%s: no more of it comes', async (_name, steps) => {
    const { peer, pool } = await scene({ connections: 1 })
    const request = call(pool, {}, steps)
    const connection = await peer.heard(0)
    writeLarge(connection, sized)
    await turnsUntil(() => request.heard.status === 200)
    request.control().resume()
    await expect(request.answer).rejects.toBe(reason)
    expect(request.heard.bytes).toBeLessThanOrEqual(65_536)
    await turnsUntil(() => connection.isClosed)
    peer.listener = answering(ok)
    expect((await call(pool, { target: '/next' }).answer).body).toBe('/next')
  })

  test('with an interim answer: the one behind it does not come', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = answering(`HTTP/1.1 103 x\r\n\r\n${ok('hi')}`)
    const request = call(pool, {}, { onHead: cut })
    await expect(request.answer).rejects.toBe(reason)
    expect(request.heard).toMatchObject({ status: 103, bytes: 0 })
  })

  test('and again, or later, without harm', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    const request = call(pool)
    await peer.heard(0)
    const control = request.control()
    control.abort(reason)
    control.abort(new Error('again'))
    control.pause()
    control.resume()
    await expect(request.answer).rejects.toBe(reason)
    peer.listener = answering(ok)
    expect((await call(pool, { target: '/next' }).answer).body).toBe('/next')
  })
})
