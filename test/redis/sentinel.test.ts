import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { connectRedis } from '../../src/redis/connection.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** A sentinel that names one primary, may take its time with that, and tells of failovers when it is told to. */
async function startSentinel(primaryPort: number) {
  const held: Socket[] = []
  let subscriber: Socket | undefined
  let isHolding = false
  const answerAddress = (socket: Socket): unknown =>
    socket.write(array('127.0.0.1', String(primaryPort)))
  const answer = (socket: Socket, command: string): void => {
    if (command.includes('get-master-addr-by-name')) {
      if (isHolding) held.push(socket)
      else answerAddress(socket)
    } else if (command.includes('subscribe')) {
      subscriber = socket
      socket.write(`*3\r\n${bulk('subscribe')}${bulk('+switch-master')}:1\r\n`)
    } else {
      socket.write(command.includes('sentinels') ? '*0\r\n' : '+OK\r\n')
    }
  }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    socket.on('data', (data) => {
      // Values hold no line breaks here, so each command begins with its length.
      for (const command of data.toString().split(/(?=\*\d+\r\n)/)) answer(socket, command)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    // Listening on an address and port, so that is what it has.
    port: (server.address() as AddressInfo).port,
    hold() {
      isHolding = true
    },
    held: () => held.length,
    isHeard: () => subscriber !== undefined && !subscriber.destroyed,
    tellOfFailover() {
      const news = 'primary 127.0.0.1 1 127.0.0.1 2'
      subscriber?.write(array('message', '+switch-master', news))
    },
    letGo() {
      isHolding = false
      for (const socket of held.splice(0)) answerAddress(socket)
    },
  }
}

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`
const array = (...texts: string[]): string => `*${texts.length}\r\n${texts.map(bulk).join('')}`

/** A connection to a primary that a sentinel names, and hears of failovers. */
async function scene() {
  const primary = await startRedis()
  onTestFinished(() => primary.stop())
  const sentinel = await startSentinel(primary.port)
  const redis = await connectRedis({
    sentinel: { primary: 'primary', nodes: [{ host: '127.0.0.1', port: sentinel.port }] },
    commandTimeoutMs: 1_000,
    connectTimeoutMs: 5_000,
  })
  onTestFinished(() => {
    redis.close()
  })
  await until(sentinel.isHeard)
  expect(redis.isReady()).toBe(true)
  return { primary, sentinel, redis }
}

test('a failover that is told of while the primary is asked for is no end of the connection', async () => {
  const { primary, sentinel, redis } = await scene()
  sentinel.hold()
  const admin = new Redis(primary.url)
  onTestFinished(() => {
    admin.disconnect()
  })
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await until(() => sentinel.held() > 0)
  expect(redis.isReady()).toBe(false)
  sentinel.tellOfFailover()
  await until(() => !sentinel.isHeard())
  sentinel.letGo()
  await until(redis.isReady)
})

test('a connection that was closed stays so', async () => {
  const { sentinel, redis } = await scene()
  sentinel.hold()
  redis.close()
  // Longer than a lost connection waits before it is tried again.
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect([redis.isReady(), sentinel.held()]).toEqual([false, 0])
})
