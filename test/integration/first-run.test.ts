import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { findProgram, freePort } from '../support/processes.ts'

const config = resolve(import.meta.dirname, '../../config')

let folder: string
let gateway: GatewayProcess

/** The shipped configuration, beside which the directory's folder is made. */
async function start(): Promise<GatewayProcess> {
  const environment = {
    HOST: '127.0.0.1',
    PORT: '0',
    ADMIN_PORT: '0',
    DEMO_PORT: String(await freePort()),
    DATABASE_URL: '',
    REDIS_URL: '',
  }
  return startGatewayProcess(join(folder, 'config', 'gateway.yaml'), { environment })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-first-run-'))
  await cp(config, join(folder, 'config'), { recursive: true })
  gateway = await start()
})
afterAll(async () => {
  await gateway.kill()
  await rm(folder, { recursive: true, force: true })
})

/** The commands that a text for people tells them to run. */
function commandsIn(text: string): readonly string[] {
  return [...text.matchAll(/^ {2}((?:curl|for) .+)$/gm)].map(([, command = '']) => command)
}

/** What a command prints, run by the shell where there is a curl. */
async function run(command: string): Promise<string> {
  if (findProgram('curl') === undefined) return runWithoutCurl(command)
  return (await promisify(execFile)('sh', ['-c', command], { timeout: 20_000 })).stdout
}

/** The few things that the printed commands ask of curl. */
async function runWithoutCurl(command: string): Promise<string> {
  const [url = ''] = /http:[^ ;]+/.exec(command) ?? []
  const credentials = /-u '([^']+)'/.exec(command)?.[1]
  const authorization = `Basic ${Buffer.from(credentials ?? '').toString('base64')}`
  const headers = credentials === undefined ? {} : { authorization }
  const times = /^for i in ([\d ]+);/.exec(command)?.[1]?.trim().split(' ')
  if (times === undefined) return headOf(await fetch(url, { headers }))
  const statuses: number[] = []
  while (statuses.length < times.length) statuses.push((await fetch(url, { headers })).status)
  return statuses.map((status) => `${status}\n`).join('')
}

async function headOf(answer: Response): Promise<string> {
  const fields = [...answer.headers].map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${answer.status} \r\n${fields.join('')}\r\n${await answer.text()}`
}

test('the first start prints commands that answer 200 with limits, 401, and 429 after a few calls', async () => {
  const commands = commandsIn(gateway.printed())
  const [authenticated, anonymous, many] = await Promise.all(commands.map(run))
  expect(commands).toHaveLength(3)
  expect(authenticated).toMatch(/^HTTP\/1\.1 200 /)
  for (const name of ['limit', 'remaining', 'reset']) {
    expect(authenticated).toMatch(new RegExp(`^x-ratelimit-${name}: \\d+\\r$`, 'im'))
  }
  expect(anonymous).toMatch(/^HTTP\/1\.1 401 /)
  expect(anonymous).toMatch(/^www-authenticate: Basic /im)
  expect(many).toBe('200\n200\n200\n200\n200\n429\n')
})

test('the second start creates nothing, and the key of the first still works', async () => {
  const [authenticated = ''] = commandsIn(gateway.printed())
  gateway.terminate()
  expect(await gateway.exit()).toBe(0)
  const earlier = gateway
  gateway = await start()
  expect(gateway.printed()).toBe('')
  const again = authenticated.replace(`:${earlier.port}/`, `:${gateway.port}/`)
  expect(await run(again)).toMatch(/^HTTP\/1\.1 200 /)
})
