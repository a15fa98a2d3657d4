import type { ConnectionPool } from '../../src/http1/connection-pool.ts'
import type { ResponseControl, ResponseHandler, UpstreamRequest } from '../../src/http1/exchange.ts'

/** All that was heard of an answer. */
export type Answer = {
  readonly status: number
  readonly reason: string
  readonly rawFields: readonly string[]
  /** Statuses and fields of the interim answers before it. */
  readonly interim: readonly (readonly [number, readonly string[]])[]
  /** latin1 */
  readonly body: string
  readonly trailers: readonly string[]
  /** Whether the body was handed over whole, with its head. */
  readonly cameWhole: boolean
}

/** A request on its way, as the one who sent it sees it. */
export type Call = {
  /** Rejects with what `onResponseError` was told. */
  readonly answer: Promise<Answer>
  /** How far it has come; grows. */
  readonly heard: { isStarted: boolean; status: number; bytes: number; isOver: boolean }
  /** @throws {Error} before the request has left */
  control(): ResponseControl
  /** Nobody waits for the answer any more. */
  leave(): void
}

/** What a caller does at some step, beside listening. */
export type Steps = {
  readonly onStart?: (control: ResponseControl) => void
  readonly onHead?: (control: ResponseControl, status: number) => void
  readonly onPiece?: (control: ResponseControl, piece: Buffer) => void
  readonly onEnd?: (control: ResponseControl) => void
}

/** Send a request, by default a GET without fields, and hear what comes of it. */
export function call(
  pool: ConnectionPool,
  request: Partial<UpstreamRequest> = {},
  steps: Steps = {},
): Call {
  const heard = { isStarted: false, status: 0, bytes: 0, isOver: false }
  const { promise, resolve, reject } = withResolvers()
  // Tests wait for it when they please.
  promise.catch(() => undefined)
  const interim: [number, readonly string[]][] = []
  const pieces: Buffer[] = []
  let head: Pick<Answer, 'status' | 'reason' | 'rawFields'> | undefined
  let cameWhole = false
  let control: ResponseControl | undefined
  let isGone = false

  /** Hold that calls come in their order, and that none comes behind the last. */
  function step(name: string, isInOrder: boolean): ResponseControl {
    if (heard.isOver || !isInOrder || control === undefined) {
      throw new Error(`${name} out of order`)
    }
    return control
  }

  const handler: ResponseHandler = {
    get isGone() {
      return isGone
    },
    onRequestStart(given) {
      if (heard.isStarted) throw new Error('onRequestStart out of order')
      heard.isStarted = true
      control = given
      steps.onStart?.(given)
    },
    onResponseStart(status, reason, rawFields) {
      const given = step('onResponseStart', head === undefined)
      if (status < 200) interim.push([status, rawFields])
      else head = { status, reason, rawFields }
      heard.status = status
      steps.onHead?.(given, status)
    },
    onResponseData(piece) {
      const given = step('onResponseData', head !== undefined && piece.length > 0)
      pieces.push(piece)
      heard.bytes += piece.length
      steps.onPiece?.(given, piece)
    },
    onResponseWhole(body) {
      step('onResponseWhole', head !== undefined && pieces.length === 0 && !cameWhole)
      cameWhole = true
      pieces.push(Buffer.from(body, 'latin1'))
      heard.bytes += body.length
    },
    onResponseEnd(trailers) {
      const given = step('onResponseEnd', head !== undefined)
      heard.isOver = true
      const body = Buffer.concat(pieces).toString('latin1')
      const { status, reason, rawFields } = head ?? { status: 0, reason: '', rawFields: [] }
      resolve({ status, reason, rawFields, interim, body, trailers, cameWhole })
      steps.onEnd?.(given)
    },
    onResponseError(error) {
      if (heard.isOver) return
      heard.isOver = true
      reject(error)
    },
  }
  pool.dispatch({ method: 'GET', target: '/', fields: [], body: undefined, ...request }, handler)
  return {
    answer: promise,
    heard,
    control() {
      if (control === undefined) throw new Error('The request has not left')
      return control
    },
    leave() {
      isGone = true
    },
  }
}

function withResolvers() {
  let resolve: (answer: Answer) => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<Answer>((...both) => ([resolve, reject] = both))
  return {
    promise,
    resolve: (answer: Answer) => {
      resolve(answer)
    },
    reject: (error: unknown) => {
      reject(error)
    },
  }
}
