import fc from 'fast-check'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { Outgoing } from '../../../src/gateway/message.ts'
import type { ServerLimits } from '../../../src/gateway/server-limits.ts'
import { rawClient, type RawClient } from '../../support/raw-client.ts'
import { until } from '../../support/until.ts'
import { openPlainScene, type PlainScene } from './scene.ts'

let scene: PlainScene
const clients: RawClient[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  scene.close()
})

async function open(limits?: Partial<ServerLimits>): Promise<RawClient> {
  scene = await openPlainScene(limits)
  return connect()
}

async function connect(): Promise<RawClient> {
  const client = await rawClient(scene.port)
  client.socket.setNoDelay(true)
  clients.push(client)
  return client
}

function get(path: string, fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
}

function post(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

const chunked = 'POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'

test('a head is read however it is cut, and the request is answered once', async () => {
  await open()
  const text = get('/cut', 'X-Long: '.padEnd(600, 'x') + '\r\n')
  const place = fc.integer({ min: 24, max: text.length - 1 })
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(place, { maxLength: 3 }), async (places) => {
      const client = await connect()
      let from = 0
      for (const to of [...places.toSorted((a, b) => a - b), text.length]) {
        client.send(text.slice(from, to))
        from = to
        await pause(2)
      }
      expect((await client.response()).body).toBe('/cut ')
      client.close()
    }),
    { numRuns: 60 },
  )
  expect(scene.read).toEqual(Array.from({ length: 60 }, () => ['plain', '/cut']))
})

test('one connection carries one plain request after the other, with bodies that came with them', async () => {
  const client = await open()
  for (const request of [get('/1'), post('/2', 'two'), post('/3', ''), get('/4')]) {
    client.send(request)
    expect((await client.response()).status).toBe(200)
  }
  expect(scene.read.map(([reader]) => reader)).toEqual(['plain', 'plain', 'plain', 'plain'])
})

test('what is not plain goes to Node with all that comes behind it, and nothing is lost or doubled', async () => {
  for (const other of [
    `${chunked}4\r\nbody\r\n0\r\n\r\n`,
    post('/later', 'body').slice(0, -2),
    get('/odd', 'Connection: keep-alive, x-odd\r\nX-Odd: 1\r\n'),
    `\r\n${get('/blank')}`,
    post('/long', 'x'.repeat(300_000)),
    get('/two') + get('/behind'),
  ]) {
    const client = await open()
    client.send(get('/first'))
    expect((await client.response()).body).toBe('/first ')
    client.send(other)
    if (other.endsWith('bo')) {
      await until(() => scene.read.length === 2)
      client.send('dy')
    }
    const { status, body } = await client.response()
    expect(status, other).toBe(200)
    expect(other).toContain(body.split(' ')[0])
    if (other.includes('/behind')) expect((await client.response()).body).toBe('/behind ')
    client.send(get('/last'))
    expect((await client.response()).body).toBe('/last ')
    expect(scene.read.map(([reader]) => reader)).toEqual([
      'plain',
      ...Array.from({ length: scene.read.length - 1 }, () => 'node'),
    ])
    scene.close()
  }
})

test('a request that comes before the one before it is answered waits, and is answered behind it', async () => {
  const client = await open()
  const held: Outgoing[] = []
  scene.behave((incoming, outgoing) => {
    outgoing.writeHead(200, ['Content-Length', String(incoming.url?.length)])
    if (incoming.url === '/held') held.push(outgoing)
    else outgoing.end(incoming.url ?? '', 'latin1')
  })
  client.send(get('/held'))
  await until(() => held.length === 1)
  client.send(get('/behind').slice(0, 20))
  await pause(10)
  client.send(get('/behind').slice(20) + get('/last'))
  await pause(10)
  expect(scene.read).toHaveLength(1)
  held[0]?.end('/held', 'latin1')
  for (const path of ['/held', '/behind', '/last']) {
    expect((await client.response()).body).toBe(path)
  }
  expect(scene.read).toEqual([
    ['plain', '/held'],
    ['node', '/behind'],
    ['node', '/last'],
  ])
})

test('a head that breaks off is refused, and so is one that does not come in time', async () => {
  const broken = await open({ headersTimeoutMs: 200 })
  broken.socket.end(get('/').slice(0, -2))
  await broken.ended()
  expect(scene.unreadable).toEqual(['REQUEST_MALFORMED'])
  const [silent, dripping] = [await connect(), await connect()]
  dripping.send(get('/').slice(0, -2))
  const drops = setInterval(() => {
    dripping.send('X: a\r\n')
  }, 20)
  await Promise.all([silent.ended(), dripping.ended()])
  clearInterval(drops)
  expect(scene.unreadable.slice(1)).toEqual(['REQUEST_TIMEOUT', 'REQUEST_TIMEOUT'])
  expect(scene.read).toEqual([])
})

test('a head beyond its bound goes to Node, whole or not', async () => {
  const long = get('/', `X: ${'x'.repeat(20_000)}\r\n`)
  for (const bytes of [long, long.slice(0, -4)]) {
    const client = await open()
    client.send(bytes)
    // Node's own answer, since its server has no listener for it here.
    expect((await client.response()).status).toBe(431)
    scene.close()
  }
})

test('a client that takes its time gets all of an answer, and its connection serves on', async () => {
  const client = await open({ idleTimeoutMs: 400 })
  const body = Buffer.alloc(4_000_000, 'x')
  scene.behave((incoming, outgoing) => {
    outgoing.writeHead(200, ['Content-Length', String(body.length)])
    if (incoming.url === '/whole') {
      outgoing.end(body)
      return
    }
    let at = 0
    const go = (): void => {
      while (at < body.length) {
        const piece = body.subarray(at, at + 1_000_000)
        at += piece.length
        if (!outgoing.write(piece) && at < body.length) {
          outgoing.once('drain', go)
          return
        }
      }
      outgoing.end()
    }
    go()
  })
  for (const path of ['/whole', '/pieces', '/whole']) {
    client.socket.pause()
    client.send(get(path))
    await pause(200)
    client.socket.resume()
    expect((await client.response()).body).toHaveLength(body.length)
    // Longer than a reader may take nothing, and nothing is there to take.
    await pause(600)
    expect(client.socket.readyState).toBe('open')
  }
  expect(scene.read.map(([reader]) => reader)).toEqual(['plain', 'plain', 'plain'])
})

test('a client that takes nothing is cut, and whoever answers hears of it', async () => {
  const client = await open({ idleTimeoutMs: 200 })
  const seen: string[] = []
  scene.behave((_incoming, outgoing) => {
    outgoing.on('close', () => {
      seen.push(outgoing.writableFinished ? 'finished' : 'cut')
    })
    outgoing.writeHead(200, [])
    outgoing.end(Buffer.alloc(32_000_000))
  })
  client.socket.pause()
  client.send(get('/'))
  await until(() => seen.length > 0)
  expect(seen).toEqual(['cut'])
})

test('a client that leaves, or says that it says no more, is answered no more', async () => {
  const first = await open()
  const closed: boolean[] = []
  const held: Outgoing[] = []
  scene.behave((_incoming, outgoing) => {
    held.push(outgoing)
    outgoing.on('close', () => closed.push(outgoing.writableFinished))
  })
  for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const client = leave === 'end' ? first : await connect()
    client.send(get('/'))
    const before = closed.length
    await until(() => held.length === before + 1)
    client.socket[leave]()
    await until(() => closed.length === before + 1)
    // Whoever did not hear of it yet does no harm.
    const outgoing = held[before]
    outgoing?.writeHead(200, [])
    expect(outgoing?.write(Buffer.from('late'))).toBe(true)
    outgoing?.end('late', 'latin1')
    outgoing?.destroy()
  }
  expect(closed).toEqual([false, false, false])
})

test('a client that says no more while its answer is on its way gets all of it', async () => {
  const client = await open()
  // More than the kernel holds for the two, so that the answer is under way for long.
  const body = Buffer.alloc(16_000_000, 'x')
  scene.behave((_incoming, outgoing) => {
    outgoing.writeHead(200, ['Content-Length', String(body.length)])
    outgoing.end(body)
  })
  client.socket.pause()
  client.send(get('/'))
  await until(() => scene.read.length === 1)
  client.socket.end()
  await pause(50)
  client.socket.resume()
  expect((await client.response()).body).toHaveLength(body.length)
  expect(await client.ended()).toBe('')
})

test('what comes behind the last answer of a connection is not read', async () => {
  const client = await open()
  scene.behave((_incoming, outgoing) => {
    outgoing.shouldKeepAlive = false
    outgoing.writeHead(200, [])
    outgoing.end(Buffer.alloc(16_000_000))
  })
  client.socket.pause()
  client.send(get('/last'))
  await until(() => scene.read.length === 1)
  client.send(get('/behind'))
  await pause(50)
  client.socket.resume()
  expect((await client.response()).field('Connection')).toBe('close')
  await client.ended()
  expect(scene.read).toEqual([['plain', '/last']])
})

test('an answer that is made when its connection is gone, and is not known to be, is not called finished', async () => {
  const client = await open()
  const finished: boolean[] = []
  scene.behave((incoming, outgoing) => {
    outgoing.on('close', () => finished.push(outgoing.writableFinished))
    incoming.socket.destroy()
    finished.push(!outgoing.destroyed)
    outgoing.writeHead(200, [])
    outgoing.end('late', 'latin1')
  })
  client.send(get('/'))
  expect(await client.ended()).toBe('')
  await until(() => finished.length > 1)
  expect(finished).toEqual([false, false])
})

test('an answer that is done with cannot cut the next one on its connection', async () => {
  const client = await open()
  const done: Outgoing[] = []
  scene.behave((_incoming, outgoing) => {
    for (const before of done) before.destroy()
    outgoing.writeHead(200, ['Content-Length', '2'])
    outgoing.end('ok', 'latin1')
    done.push(outgoing)
  })
  for (let turn = 0; turn < 3; turn += 1) {
    client.send(get('/'))
    expect((await client.response()).body).toBe('ok')
  }
})

test('what rests is closed when asked to, and when it has rested for its time; what works is not', async () => {
  const resting = await open({ keepAliveTimeoutMs: 100 })
  resting.send(get('/'))
  await resting.response()
  const held: Outgoing[] = []
  scene.behave((_incoming, outgoing) => held.push(outgoing))
  const working = await connect()
  working.send(get('/'))
  await until(() => held.length === 1)
  const fresh = await connect()
  const halfway = await connect()
  halfway.send(get('/').slice(0, -2))
  await pause(20)
  scene.closeResting()
  expect(await Promise.all([resting.ended(), fresh.ended()])).toEqual(['', ''])
  expect(halfway.socket.readyState).toBe('open')
  const late = await connect()
  scene.behave((_incoming, outgoing) => {
    outgoing.writeHead(200, ['Content-Length', '0'])
    outgoing.end()
  })
  late.send(get('/'))
  await late.response()
  expect(await late.ended()).toBe('')
  held[0]?.writeHead(200, ['Content-Length', '0'])
  held[0]?.end()
  expect((await working.response()).status).toBe(200)
})

test('no field, reason or trailer can begin another line', async () => {
  const client = await open()
  const refused: unknown[] = []
  scene.behave((_incoming, outgoing) => {
    for (const write of [
      () => outgoing.writeHead(200, ['X', 'a\r\nY: b']),
      () => outgoing.writeHead(200, ['X\r\nY', 'a']),
      () => outgoing.writeHead(200, ['X', 'a\nb']),
      () => outgoing.writeHead(200, ['X', 'a\0']),
      () => outgoing.writeHead(200, ['X', '\u0100']),
      () => outgoing.writeHead(200, ['', 'a']),
      () => outgoing.writeHead(200, 'a\r\nX: b', []),
      () => {
        outgoing.addTrailers([['X', 'a\r\n\r\n']])
      },
    ]) {
      try {
        write()
      } catch (error) {
        refused.push(error)
      }
    }
    outgoing.writeHead(200, [])
    outgoing.end()
  })
  client.send(get('/'))
  const { fields, body } = await client.response()
  expect(refused.map((error) => error instanceof TypeError)).toEqual(
    Array.from({ length: 8 }, () => true),
  )
  expect(fields.map(([name]) => name)).toEqual([
    'Date',
    'Connection',
    'Keep-Alive',
    'Transfer-Encoding',
  ])
  expect(body).toBe('')
})
