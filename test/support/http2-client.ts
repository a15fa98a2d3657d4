import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { SecureClientSessionOptions } from 'node:http2'

/** What came back on a stream. */
export type Http2Answer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader
  readonly trailers: IncomingHttpHeaders
  readonly body: string
}

/** A connection of HTTP/2 to a listener on this machine. */
export type Http2Client = {
  readonly session: ClientHttp2Session
  /** Rejects where the stream is reset. */
  call(headers: OutgoingHttpHeaders, body?: string | Buffer): Promise<Http2Answer>
  /** A request that is left open. */
  open(headers: OutgoingHttpHeaders, endStream?: boolean): ClientHttp2Stream
  close(): void
}

export async function http2Client(
  port: number,
  ca: string,
  options: ClientSessionOptions | SecureClientSessionOptions = {},
): Promise<Http2Client> {
  const session = connect(`https://localhost:${port}`, { ca, ...options })
  session.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => {
    session.once('connect', () => {
      resolve()
    })
    session.once('error', reject)
  })
  const open = (headers: OutgoingHttpHeaders, endStream = false): ClientHttp2Stream =>
    session.request(headers, { endStream })
  return {
    session,
    open,
    call(headers, body) {
      const stream = open(headers, body === undefined)
      if (body !== undefined) stream.end(body)
      return answerOf(stream)
    },
    close: () => {
      session.destroy()
    },
  }
}

/** What comes back on a stream. @throws {Error} where it is reset */
export function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let headers: Http2Answer['headers'] | undefined
    let trailers: IncomingHttpHeaders = {}
    stream.once('response', (received) => (headers = received))
    stream.once('trailers', (received: IncomingHttpHeaders) => (trailers = received))
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.once('error', reject)
    stream.once('close', () => {
      if (headers === undefined || stream.rstCode !== constants.NGHTTP2_NO_ERROR) {
        reject(new Error(`The stream was reset: ${stream.rstCode}`))
        return
      }
      const status = headers[':status'] ?? 0
      resolve({ status, headers, trailers, body: Buffer.concat(chunks).toString() })
    })
  })
}
