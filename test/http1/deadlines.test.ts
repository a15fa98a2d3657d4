import { PassThrough, Readable } from 'node:stream'
import { expect, onTestFinished, test, vi } from 'vitest'
import { call } from './call.ts'
import { answering, at, ok, peerOn, turn, turnsUntil } from './peer.ts'
import { poolTo, scene, type PoolOptions } from './scene.ts'
import { createServer } from 'node:net'

/** A scene whose clock the test keeps. */
async function still(options: PoolOptions) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  return scene({ connections: 1, ...options })
}

/** Let so much time pass, and what is on its way arrive. */
async function pass(ms: number): Promise<void> {
  for (let count = 0; count < 20; count++) await turn()
  vi.advanceTimersByTime(ms)
  for (let count = 0; count < 20; count++) await turn()
}

const failing = (code: string) => ({ name: 'Error', code })
const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

test('a connection has so long to open, TLS included', async () => {
  // It takes connections, and says nothing.
  const peer = await peerOn(createServer(), 'http')
  onTestFinished(() => peer.close())
  const pool = poolTo(new URL(`https://127.0.0.1:${peer.port}`), { connectMs: 100 })
  const request = call(pool)
  await expect(request.answer).rejects.toMatchObject(failing('CONNECT_TIMEOUT'))
  expect(request.heard.isStarted).toBe(false)
  await turnsUntil(() => peer.connections.length === 1 && peer.open() === 0)
})

test('a head has so long to come, from the sent request', async () => {
  const { peer, pool } = await still({ headMs: 1_000 })
  const request = call(pool)
  await peer.heard(0)
  await pass(990)
  expect([request.heard.isOver, peer.open()]).toEqual([false, 1])
  await pass(20)
  await expect(request.answer).rejects.toMatchObject(failing('HEAD_TIMEOUT'))
  await turnsUntil(() => peer.open() === 0)
})

test('half a head gains no time, and an interim answer gains it anew', async () => {
  const { peer, pool } = await still({ headMs: 1_000 })
  const request = call(pool)
  const connection = await peer.heard(0)
  for (let count = 0; count < 5; count++) {
    await pass(900)
    connection.write('HTTP/1.1 102 Processing\r\n\r\n')
  }
  await pass(900)
  expect([request.heard.isOver, request.heard.status]).toEqual([false, 102])
  connection.write('HTTP/1.1 200 OK\r\n')
  await pass(200)
  await expect(request.answer).rejects.toMatchObject(failing('HEAD_TIMEOUT'))
})

test('the time for one head is not taken from the next', async () => {
  const { peer, pool } = await still({ headMs: 1_000 })
  for (let count = 0; count < 5; count++) {
    const request = call(pool)
    const connection = await peer.heard(0, count + 1)
    await pass(900)
    connection.write(ok('hi'))
    expect((await request.answer).body).toBe('hi')
  }
  expect(peer.connections).toHaveLength(1)
})

test('a body may pause so long', async () => {
  const { peer, pool } = await still({ bodyMs: 1_000 })
  const request = call(pool)
  const connection = await peer.heard(0)
  connection.write(head)
  for (let count = 0; count < 5; count++) {
    await pass(900)
    connection.write('1\r\na\r\n')
  }
  await pass(990)
  expect(request.heard).toMatchObject({ bytes: 5, isOver: false })
  await pass(20)
  await expect(request.answer).rejects.toMatchObject(failing('BODY_TIMEOUT'))
  await turnsUntil(() => peer.open() === 0)
})

test('while whoever hears it holds it back, it is not late', async () => {
  const { peer, pool } = await still({ bodyMs: 1_000 })
  const request = call(
    pool,
    {},
    {
      onHead: (control) => {
        control.pause()
      },
    },
  )
  const connection = await peer.heard(0)
  connection.write(`${head}1\r\na\r\n`)
  await turnsUntil(() => request.heard.status === 200)
  await pass(60_000)
  expect(request.heard.isOver).toBe(false)
  request.control().resume()
  await pass(990)
  expect(request.heard.isOver).toBe(false)
  await pass(20)
  await expect(request.answer).rejects.toMatchObject(failing('BODY_TIMEOUT'))
})

test('a connection rests so long, or as long as the other end says', async () => {
  const { peer, pool } = await still({ restMs: 1_000 })
  const answers = [ok('a'), ok('b', 'Keep-Alive: timeout=5'), ok('c')]
  for (const [place, [answer = '', restMs = 0]] of [
    [answers[0], 1_000] as const,
    [answers[1], 3_000] as const,
    [answers[2], 1_000] as const,
  ].entries()) {
    peer.listener = answering(answer)
    await call(pool).answer
    await pass(restMs - 10)
    expect([place, peer.open()]).toEqual([place, 1])
    await pass(20)
    await turnsUntil(() => peer.open() === 0)
  }
  expect(peer.connections).toHaveLength(3)
})

test('a client that takes its time with its body is not the fault of the other end', async () => {
  const { peer, pool } = await still({ headMs: 1_000 })
  const body = new PassThrough()
  const request = call(pool, { method: 'POST', body: { kind: 'stream', stream: body, bytes: 6 } })
  await turnsUntil(() => request.heard.isStarted)
  await pass(5_000)
  body.write('abc')
  await turnsUntil(() => peer.connections[0]?.text.endsWith('abc') === true)
  await pass(5_000)
  expect(request.heard.isOver).toBe(false)
  body.end('def')
  await turnsUntil(() => peer.connections[0]?.text.endsWith('def') === true)
  await pass(990)
  expect(request.heard.isOver).toBe(false)
  await pass(20)
  await expect(request.answer).rejects.toMatchObject(failing('HEAD_TIMEOUT'))
})

/** A body that is always there, and counts what was taken of it. */
function endless(): { readonly stream: Readable; taken: () => number; end: () => void } {
  let taken = 0
  let isEnded = false
  const stream = new Readable({
    read() {
      taken += 65_536
      this.push(isEnded ? null : Buffer.alloc(65_536))
    },
  })
  return {
    stream,
    taken: () => taken,
    end: () => {
      isEnded = true
    },
  }
}

/** Send a body to a peer that reads nothing, until nothing more of it is taken. */
async function sendUnread({ peer, pool }: Awaited<ReturnType<typeof still>>) {
  peer.onConnection = ({ socket }) => {
    socket.pause()
  }
  const body = endless()
  const request = call(pool, {
    method: 'POST',
    body: { kind: 'stream', stream: body.stream, bytes: undefined },
  })
  await untilStill(body.taken)
  return { body, request, connection: at(peer.connections, 0) }
}

/** Wait until a number has grown, and grows no more. */
async function untilStill(count: () => number): Promise<void> {
  let [last, same] = [0, 0]
  await turnsUntil(() => {
    const now = count()
    same = now === last && now > 0 ? same + 1 : 0
    last = now
    return same > 200
  })
}

test('a peer that reads nothing is late', async () => {
  const all = await still({ headMs: 1_000 })
  const { body, request } = await sendUnread(all)
  await pass(990)
  expect(request.heard.isOver).toBe(false)
  await pass(20)
  await expect(request.answer).rejects.toMatchObject(failing('HEAD_TIMEOUT'))
  expect(body.stream.destroyed).toBe(true)
})

test('a peer that reads slowly is not', async () => {
  const all = await still({ headMs: 1_000 })
  const { body, request, connection } = await sendUnread(all)
  for (let count = 0; count < 5; count++) {
    await pass(900)
    const before = body.taken()
    connection.socket.resume()
    await turnsUntil(() => body.taken() > before + 1_000_000)
    connection.socket.pause()
    await untilStill(body.taken)
  }
  expect(request.heard.isOver).toBe(false)
  body.end()
  connection.socket.resume()
  await turnsUntil(() => connection.text.endsWith('\r\n0\r\n\r\n'))
  connection.write(ok('hi'))
  expect((await request.answer).body).toBe('hi')
})
