import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { connectRedis, type RedisConnection } from '../../src/redis/connection.ts'
import { defineScript, parseIntegers } from '../../src/redis/script.ts'
import { freePort } from '../support/processes.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const increment = defineScript(
  "return { redis.call('INCRBY', KEYS[1], ARGV[1]), redis.call('PEXPIRE', KEYS[1], 60000) }",
  parseIntegers,
)

let server: TestRedis
const opened: RedisConnection[] = []

beforeAll(async () => {
  server = await startRedis()
})
afterEach(() => {
  for (const connection of opened.splice(0)) connection.close()
})
afterAll(() => server.stop())

async function connect(url: string, commandTimeoutMs = 1_000): Promise<RedisConnection> {
  const connection = await connectRedis({ url, commandTimeoutMs, connectTimeoutMs: 500 })
  opened.push(connection)
  return connection
}

/** A server on loopback that does to every connection as it is told. */
async function listen(
  onConnection: (socket: Socket) => void,
): Promise<{ url: string } & Disposable> {
  const sockets = new Set<Socket>()
  const fake = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    onConnection(socket)
  })
  await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve))
  // Listening on an address and port, so that is what it has.
  const { port } = fake.address() as AddressInfo
  return {
    url: `redis://127.0.0.1:${port}`,
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy()
      fake.close()
    },
  }
}

it('a script that Redis does not know is loaded and run once', async () => {
  const redis = await connect(server.url)
  expect(await redis.run(increment, ['once'], ['1'])).toEqual([1, 1])
  expect(await redis.run(increment, ['once'], ['1'])).toEqual([2, 1])
})

it('a reply that the script never returns is a failure', async () => {
  const redis = await connect(server.url)
  const text = defineScript("return 'text'", parseIntegers)
  const mixed = defineScript("return { 1, 'text' }", parseIntegers)
  await expect(redis.run(text, [], [])).rejects.toThrow(TypeError)
  await expect(redis.run(mixed, [], [])).rejects.toThrow(TypeError)
})

it('an error of the script is a failure and leaves the connection usable', async () => {
  const redis = await connect(server.url)
  await expect(redis.run(defineScript('error("no")', parseIntegers), [], [])).rejects.toThrow('no')
  expect(await redis.run(increment, ['usable'], ['1'])).toEqual([1, 1])
})

it('an absent Redis is no error at start, fails every call at once, and is found when it comes', async () => {
  const later = await startRedis()
  await later.kill()
  const redis = await connect(later.url)
  expect(redis.isReady()).toBe(false)
  await expect(redis.run(increment, ['key'], ['1'])).rejects.toThrow()
  await later.restart()
  await until(redis.isReady)
  expect(await redis.run(increment, ['key'], ['1'])).toEqual([1, 1])
  await later.stop()
})

it('a call to a frozen Redis fails by its deadline and is not sent again', async () => {
  const redis = await connect(server.url, 50)
  await redis.run(increment, ['frozen'], ['1'])
  server.freeze()
  const outcomes = await Promise.allSettled([
    redis.run(increment, ['frozen'], ['10']),
    redis.run(increment, ['frozen'], ['100'], 20),
  ])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  server.thaw()
  // Redis ran both when it woke up, since it had read them; nothing came twice.
  const patient = await connect(server.url)
  expect(await patient.run(increment, ['frozen'], ['1000'])).toEqual([1111, 1])
})

it('an answer that arrived in time is not late because this process was busy', async () => {
  const redis = await connect(server.url, 50)
  await redis.run(increment, ['busy'], ['1'])
  const answer = redis.run(increment, ['busy'], ['1'])
  const until = performance.now() + 150
  while (performance.now() < until);
  expect(await answer).toEqual([2, 1])
})

it('a connection that stays silent is given up and made anew', async () => {
  const redis = await connect(server.url, 50)
  const changes: string[] = []
  redis.onChange(({ kind }) => changes.push(kind))
  server.freeze()
  await expect(redis.run(increment, ['silent'], ['1'])).rejects.toThrow('did not answer')
  await until(() => changes.includes('lost'))
  server.thaw()
  await until(() => changes.includes('ready'))
  expect(await redis.run(increment, ['silent-2'], ['1'], 1_000)).toEqual([1, 1])
})

it('a server that has become a replica is left for the one that its name leads to', async () => {
  const demoted = await startRedis()
  const redis = await connect(demoted.url)
  const changes: string[] = []
  redis.onChange(({ kind }) => changes.push(kind))
  const operator = new Redis(demoted.url)
  await operator.replicaof('127.0.0.1', '1')
  await expect(redis.run(increment, ['key'], ['1'])).rejects.toThrow('READONLY')
  await until(() => changes.includes('lost') && changes.includes('ready'))
  operator.disconnect()
  await demoted.stop()
})

it('a connection lost in the middle of a call fails the call, and the next one works', async () => {
  const breakable = await startRedis()
  const redis = await connect(breakable.url)
  await redis.run(increment, ['key'], ['1'])
  breakable.freeze()
  const lost = redis.run(increment, ['key'], ['1'], 10_000)
  await Promise.all([expect(lost).rejects.toThrow(), breakable.restart()])
  await until(redis.isReady)
  expect(await redis.run(increment, ['key'], ['1'])).toEqual([1, 1])
  await breakable.stop()
})

it.each([
  ['says nothing', () => undefined],
  ['hangs up', (socket: Socket) => socket.destroy()],
  ['talks nonsense', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
])('a server that %s is an absent Redis', async (_what, onConnection) => {
  using fake = await listen(onConnection)
  const redis = await connect(fake.url, 50)
  expect(redis.isReady()).toBe(false)
  await expect(redis.run(increment, ['key'], ['1'])).rejects.toThrow()
})

it('the port of nobody is an absent Redis', async () => {
  const redis = await connect(`redis://127.0.0.1:${await freePort()}`)
  expect(redis.isReady()).toBe(false)
})
