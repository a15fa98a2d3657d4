import { readFileSync } from 'node:fs'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import { startGatewayProcess } from '../../test/support/gateway-process.ts'
import { freePort } from '../../test/support/processes.ts'
import { createCaller, urlsOf } from './caller.ts'
import { count, required, type Deployment, type Experiment, type Outcome } from './experiment.ts'
import { collectGarbage } from './garbage.ts'
import { openHouse } from './house.ts'
import { closedLoop, pause } from './load.ts'
import { steadyMb } from './resident-memory.ts'

export const idleConnections: Experiment = {
  name: 'idle-connections',
  shows: 'What each of 5,000 connections takes that has had one request and is kept open',
  accepts: ['url', 'key', 'pid'],
  run: (deployment) => (deployment === undefined ? proveHere() : proveThere(deployment)),
}

const connections = 5_000
const goalBytes = 12_000
const warmUpRequests = 20_000
const settleMs = 3_000
const atOnce = 50
const limits = { requests: 1_000_000, windowSeconds: 3_600, concurrent: 1_000 }

async function proveHere(): Promise<Outcome> {
  await using house = await openHouse({
    gateways: 0,
    classes: { wide: { user: limits, organization: limits } },
  })
  const { configurationFile, authorization } = house.fleet
  const inspectorPort = await freePort()
  const gateway = await startGatewayProcess(configurationFile, {
    nodeOptions: [`--inspect=127.0.0.1:${inspectorPort}`],
  })
  try {
    const url = `${urlsOf([gateway])[0] ?? ''}/wide/hello`
    return await measure({ url, authorization, pid: gateway.pid, inspectorPort })
  } finally {
    await gateway.kill()
  }
}

async function proveThere(deployment: Deployment): Promise<Outcome> {
  const url = required(deployment.urls[0], 'url')
  const pid = required(deployment.pid, 'pid')
  const { authorization } = deployment
  return measure({ url, authorization, pid, inspectorPort: undefined })
}

type Measured = {
  readonly url: string
  readonly authorization: string
  readonly pid: number
  /** Undefined: garbage that the gateway has not collected counts too. */
  readonly inspectorPort: number | undefined
}

async function measure(gateway: Measured): Promise<Outcome> {
  assertDescriptors()
  await warmUp(gateway)
  const before = await heldMb(gateway)
  const sockets: Socket[] = []
  try {
    await closedLoop(connections, atOnce, async () => {
      sockets.push(await usedConnection(gateway))
    })
    await pause(settleMs)
    const each = (((await heldMb(gateway)) - before) * 1_000_000) / connections
    const open = sockets.filter(({ destroyed, readableEnded }) => !destroyed && !readableEnded)
    const collected = gateway.inspectorPort === undefined ? '' : ', garbage collected'
    return {
      figure: `${count(each)} bytes for each of ${count(open.length)} idle connections${collected}`,
      goal: `at most ${count(goalBytes)} for each of ${count(connections)}`,
      isMet: each <= goalBytes && open.length === connections,
    }
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

/** Requests leave garbage that is many times what a connection takes. */
async function heldMb({ pid, inspectorPort }: Measured): Promise<number> {
  if (inspectorPort !== undefined) {
    await collectGarbage(inspectorPort)
    await collectGarbage(inspectorPort)
    await pause(settleMs)
  }
  return steadyMb(pid)
}

/** Code that is compiled and caches that are filled once are no cost of a connection. */
async function warmUp({ url, authorization }: Measured): Promise<void> {
  await using caller = createCaller([url], atOnce)
  await closedLoop(warmUpRequests, atOnce, async () => {
    await caller.call({ authorization })
  })
  await pause(settleMs)
}

/** A connection on which one request has been answered whole. */
async function usedConnection({ url, authorization }: Measured): Promise<Socket> {
  const { hostname, host, port, protocol, pathname, search } = new URL(url)
  const address = { host: hostname, port: Number(port || (protocol === 'https:' ? 443 : 80)) }
  const secure = { ...address, servername: hostname }
  const socket = protocol === 'https:' ? connectSecure(secure) : connectPlain(address)
  socket.write(
    `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${authorization}\r\n\r\n`,
  )
  await new Promise<void>((resolve, reject) => {
    let text = ''
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1')
      if (isWhole(text)) resolve()
    })
    socket.on('error', reject)
    socket.on('close', () => {
      reject(new Error(`A connection was closed: ${text.slice(0, 200)}`))
    })
  })
  return socket
}

function isWhole(text: string): boolean {
  const bodyAt = text.indexOf('\r\n\r\n') + 4
  if (bodyAt < 4) return false
  const length = /^content-length: *(\d+)/im.exec(text.slice(0, bodyAt))?.[1]
  return length === undefined
    ? text.endsWith('\r\n0\r\n\r\n')
    : text.length >= bodyAt + Number(length)
}

/** Node raises the soft limit to the hard one when it starts. */
function assertDescriptors(): void {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const most = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
  if (most < connections + 200) {
    throw new Error(`${most} open files are allowed here; run "ulimit -n 10000" first`)
  }
}
