import type { Readable } from 'node:stream'

/** A request as it is written; nothing in it is interpreted. */
export type UpstreamRequest = {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** Names, in lower case, and values in turn; how the body is framed is said by `body` alone. */
  readonly fields: readonly string[]
  readonly body: RequestBody | undefined
}

/** Bytes at hand, or a stream of so many bytes; of undefined many, it is sent in chunks. */
export type RequestBody =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'stream'; readonly stream: Readable; readonly bytes: number | undefined }

/** A body that nobody reads would wait for ever. */
export function discard({ body }: UpstreamRequest): void {
  if (body?.kind === 'stream') body.stream.destroy()
}

/** What can be done about an answer while it comes. */
export type ResponseControl = {
  /** Cut the connection; `onResponseError` is called with the reason before this returns. */
  abort(reason: Error): void
  /** Let nothing come until `resume`; what was read already still comes. */
  pause(): void
  resume(): void
}

/**
 * Who hears of an answer. After `onResponseEnd` or `onResponseError` nothing is called any more. What is
 * thrown cuts the connection, and comes back to `onResponseError`.
 */
export type ResponseHandler = {
  /** Nobody waits for an answer any more, so the request need not be sent. */
  readonly isGone: boolean
  /** A connection is there, and the request leaves. */
  onRequestStart(control: ResponseControl): void
  /**
   * A head: of the answer, or of an interim one (1xx) that goes before it.
   *
   * @param rawFields names and values in turn, as received
   */
  onResponseStart(status: number, reason: string, rawFields: readonly string[]): void
  /** A piece of the body, for the handler to keep. */
  onResponseData(piece: Buffer): void
  /** A whole, short body that came with its head, in place of pieces. @param body latin1 */
  onResponseWhole(body: string): void
  /** @param rawTrailers names and values in turn */
  onResponseEnd(rawTrailers: readonly string[]): void
  onResponseError(error: unknown): void
}
