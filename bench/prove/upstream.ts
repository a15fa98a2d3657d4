import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { countInFlight } from '../../test/support/in-flight.ts'
import { noise, pieceBytes, slowly } from './noise.ts'

/** The service behind the gateways: what it sees is what was admitted. */
export type Upstream = {
  readonly url: string
  /** Requests so far, by the principal that the gateway named. */
  readonly arrivals: ReadonlyMap<string, number>
  /** Requests under way now. */
  inFlight(): number
  /** The most that were under way at once since the last look. */
  takePeak(): number
  /** When it last broke an answer off, on the clock of `performance.now`. */
  brokeOffMs(): number
  close(): Promise<void>
}

type Exchange = {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  /** To be told when an answer is broken off on purpose. */
  readonly brokeOff: () => void
}

type Answer = (exchange: Exchange, argument: string) => void | Promise<void>

/** What it does, by the first segment of the path; the second is an argument. */
const answers: Readonly<Record<string, Answer>> = {
  hello: ({ outgoing }) => {
    outgoing.setHeader('Content-Type', 'application/json')
    outgoing.end('{"message":"hello"}')
  },
  /** Some milliseconds to the head, and as many to the end. */
  hold: ({ outgoing }, ms) => {
    setTimeout(() => {
      outgoing.write('held')
      setTimeout(() => outgoing.end(), Number(ms))
    }, Number(ms))
  },
  /** The head, and no end. */
  hang: ({ outgoing }) => {
    outgoing.write('begun')
  },
  download: async ({ outgoing }, bytes) => {
    outgoing.setHeader('Content-Length', bytes)
    await pipeline(noise(Number(bytes)), outgoing)
  },
  /** As a whole and at next to no cost, for readers who do not look at it. */
  zeros: ({ outgoing }, bytes) => {
    outgoing.end(zeros.subarray(0, Number(bytes)))
  },
  /** So many pieces, ten a second. */
  trickle: async ({ outgoing }, pieces) => {
    await pipeline(slowly(noise(trickleBytes(Number(pieces))), trickleMs), outgoing)
  },
  /** An upload that is read slowly, by its SHA-256. */
  sip: async ({ incoming, outgoing }, ms) => {
    const hash = createHash('sha256')
    for await (const piece of slowly(incoming, Number(ms))) hash.update(piece)
    outgoing.end(hash.digest('hex'))
  },
  /** Half of what it promised. */
  break: async (exchange, bytes) => {
    const { outgoing } = exchange
    outgoing.setHeader('Content-Length', bytes)
    await pipeline(noise(Number(bytes) / 2), outgoing, { end: false })
    exchange.brokeOff()
    outgoing.destroy()
  },
  upload: async ({ incoming, outgoing }) => {
    const hash = createHash('sha256')
    for await (const piece of incoming) hash.update(piece as Buffer)
    outgoing.end(hash.digest('hex'))
  },
  echo: async ({ incoming, outgoing }) => {
    await pipeline(incoming, outgoing)
  },
}

const trickleMs = 100
const zeros = Buffer.alloc(10_000_000)

/** How long a trickle of so many pieces is. */
export function trickleBytes(pieces: number): number {
  return pieces * pieceBytes
}

/** The `paths` of an OpenAPI document that describes it. */
export const upstreamPaths = {
  '/hello': { get: {} },
  '/hold/{ms}': { get: {} },
  '/hang': { get: {} },
  '/download/{bytes}': { get: {} },
  '/zeros/{bytes}': { get: {} },
  '/trickle/{pieces}': { get: {} },
  '/sip/{ms}': { post: {} },
  '/break/{bytes}': { get: {} },
  '/upload': { post: {} },
  '/echo': { post: {} },
}

export async function startUpstream(): Promise<Upstream> {
  const arrivals = new Map<string, number>()
  const gauge = countInFlight()
  const sockets = new Set<Socket>()
  let brokeOffMs = 0
  const brokeOff = (): void => {
    brokeOffMs = performance.now()
  }

  const server = createServer(
    { requestTimeout: 0, keepAliveTimeout: 60_000 },
    (incoming, outgoing) => {
      const exchange = { incoming, outgoing, brokeOff }
      const principal = String(incoming.headers['gatehouse-principal-id'])
      arrivals.set(principal, (arrivals.get(principal) ?? 0) + 1)
      gauge.add(exchange)
      void answer(exchange)
    },
  )
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const port = await new Promise<number>((resolve) => {
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
      resolve((server.address() as AddressInfo).port)
    })
  })
  return {
    url: `http://127.0.0.1:${port}`,
    arrivals,
    inFlight: gauge.now,
    brokeOffMs: () => brokeOffMs,
    takePeak() {
      const highest = gauge.peak()
      gauge.reset()
      return highest
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        for (const socket of sockets) socket.destroy()
      }),
  }
}

async function answer(exchange: Exchange): Promise<void> {
  const { incoming, outgoing } = exchange
  incoming.on('error', () => undefined)
  const [, name = '', argument = ''] = incoming.url?.split('/') ?? []
  try {
    await answers[name]?.(exchange, argument)
  } catch {
    // The other side went away, which is what some experiments are about.
    outgoing.destroy()
  }
}
