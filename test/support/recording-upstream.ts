import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { countInFlight } from './in-flight.ts'

/** A request as the upstream received it. */
export type RecordedRequest = {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly headers: IncomingMessage['headers']
  /** Set once the body has arrived whole. */
  body: Buffer | undefined
  /** Whether the connection broke before the body was whole. */
  aborted: boolean
}

/** What the upstream does with a request; the default answers 200 with a small JSON body. */
export type Behaviour = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/** An upstream on loopback that remembers what reached it. */
export type RecordingUpstream = {
  readonly url: string
  readonly port: number
  readonly requests: RecordedRequest[]
  /** Replace the behaviour for requests to come; undefined: the default. */
  behave(behaviour: Behaviour | undefined): void
  inFlight(): number
  /** Open connections to it. */
  connections(): number
  /** The highest number of requests that were in flight at the same time. */
  peak(): number
  reset(): void
  close(): Promise<void>
}

export async function recordingUpstream(): Promise<RecordingUpstream> {
  const requests: RecordedRequest[] = []
  const sockets = new Set<Socket>()
  let behaviour: Behaviour | undefined
  const inFlight = countInFlight()

  const server = createServer(
    { requestTimeout: 0, keepAliveTimeout: 30_000 },
    (incoming, outgoing) => {
      inFlight.add({ incoming, outgoing })
      requests.push(record(incoming))
      const behave = behaviour ?? answerHello
      behave(incoming, outgoing)
    },
  )
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const port = await listening(server)
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    behave: (next) => {
      behaviour = next
    },
    inFlight: inFlight.now,
    connections: () => sockets.size,
    peak: inFlight.peak,
    reset: () => {
      behaviour = undefined
      requests.length = 0
      inFlight.reset()
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

/** Listen on a free port of the loopback address. */
function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port)
    })
  })
}

function record(incoming: IncomingMessage): RecordedRequest {
  const { method = '', url = '', rawHeaders, headers } = incoming
  const recorded: RecordedRequest = {
    method,
    url,
    rawHeaders,
    headers,
    body: undefined,
    aborted: false,
  }
  const chunks: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
  incoming.on('end', () => {
    recorded.body = Buffer.concat(chunks)
  })
  incoming.on('error', () => undefined)
  incoming.on('close', () => {
    if (!incoming.complete) recorded.aborted = true
  })
  return recorded
}

function answerHello(_incoming: IncomingMessage, outgoing: ServerResponse): void {
  const body = '{"message":"hello"}'
  outgoing.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length })
  outgoing.end(body)
}
