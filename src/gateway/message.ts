import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** A request as the chain sees it: a plain one, Node's own of HTTP/1.1, or a stream of HTTP/2. */
export type Incoming = Pick<
  IncomingMessage,
  | 'method'
  | 'url'
  | 'httpVersion'
  | 'rawHeaders'
  | 'complete'
  | 'closed'
  | 'isPaused'
  | 'readableFlowing'
> & {
  readonly socket: Pick<Socket, 'remoteAddress' | 'destroy' | 'destroySoon'>
  pause(): unknown
  resume(): unknown
  on(event: 'data', run: (chunk: Buffer) => void): Incoming
  on(event: 'end' | 'close', run: () => void): Incoming
  once(event: 'end' | 'close', run: () => void): Incoming
  off(event: 'data', run: (chunk: Buffer) => void): Incoming
  off(event: 'end' | 'close', run: () => void): Incoming
}

/** A response as the chain sees it: what of Node's own it uses. */
export type Outgoing = Pick<
  ServerResponse,
  | 'closed'
  | 'destroyed'
  | 'headersSent'
  | 'shouldKeepAlive'
  | 'statusCode'
  | 'writableEnded'
  | 'writableFinished'
  | 'flushHeaders'
  | 'writeContinue'
> & {
  /** Names and values in turn of what goes with every answer; over HTTP/2 its sessions see to it. */
  security?: readonly string[]
  /** @param fields names and values in turn */
  writeHead(status: number, fields: string[]): unknown
  writeHead(status: number, reason: string, fields: string[]): unknown
  /** False: the client takes its time; wait for 'drain'. */
  write(chunk: Buffer): boolean
  end(done?: () => void): unknown
  end(body: Buffer): unknown
  end(body: string, encoding: 'latin1'): unknown
  addTrailers(trailers: [string, string][]): void
  destroy(): unknown
  on(event: 'close' | 'drain' | 'finish', run: () => void): unknown
  once(event: 'close' | 'drain' | 'finish', run: () => void): unknown
}
