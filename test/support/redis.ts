import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ended, findProgram, freePort, signalTree, startServer } from './processes.ts'
import { until } from './until.ts'

/** A private Redis that a test may break. It keeps nothing on disk. */
export type TestRedis = {
  readonly url: string
  readonly port: number
  /** The process that runs now; another after a restart. */
  pid(): number
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGSTOP: connections stay open and nothing answers. */
  freeze(): void
  /** SIGCONT. */
  thaw(): void
  /** Start again on the same port, empty. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export async function startRedis(): Promise<TestRedis> {
  const program = redisProgram()
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-redis-'))
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
  const run = () => startServer(program, [...args, '--save', '', '--appendonly', 'no'])
  let server = run()
  await until(() => answersPing(port))

  async function kill(): Promise<void> {
    if (server.pid !== undefined) signalTree(server.pid, 'SIGKILL')
    await ended(server)
  }

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid() {
      if (server.pid === undefined) throw new Error('Redis could not be started')
      return server.pid
    },
    kill,
    freeze: () => server.kill('SIGSTOP'),
    thaw: () => server.kill('SIGCONT'),
    async restart() {
      await kill()
      server = run()
      await until(() => answersPing(port))
    },
    async stop() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The server that set-up found or installed. */
export function redisProgram(): string {
  const program = process.env['GATEHOUSE_TEST_REDIS'] ?? findProgram('redis-server')
  if (program === undefined) throw new Error('redis-server is not installed; run "npm test"')
  return program
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const answer = (isThere: boolean): void => {
      socket.destroy()
      resolve(isThere)
    }
    socket.setTimeout(500, () => {
      answer(false)
    })
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (data: Buffer) => {
      answer(data.toString().startsWith('+PONG'))
    })
    socket.once('error', () => {
      answer(false)
    })
  })
}
