import { catalogue, type ErrorCode } from './catalogue.ts'

/** One member of a request that failed validation; the answer lists them under `error.fields`. */
export type InvalidField =
  | { readonly pointer: string; readonly message: string }
  | { readonly parameter: string; readonly message: string }

type Particulars = {
  /** One or more sentences for the caller; never an internal name, a host, a stack or a secret. */
  readonly details?: string
  readonly fields?: readonly InvalidField[]
  /** Whole seconds after which a retry is admitted; answered as `Retry-After` (RFC 9110 §10.2.3). */
  readonly retryAfterSeconds?: number
  /** Further response header fields, such as `Allow` or `WWW-Authenticate`. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Overrides the catalogue's status; only where an upstream's own status is passed on. */
  readonly status?: number
  /** What really happened: for the log, never for the caller. */
  readonly cause?: unknown
}

/**
 * The one error that becomes an answer. Whatever else is thrown is a bug and answers `INTERNAL_ERROR`.
 *
 * It keeps no stack of its own, since it is an answer and refusals come in floods; where a bug or a
 * failure is behind it, that is the cause, and has one.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly details: string | undefined
  readonly fields: readonly InvalidField[] | undefined
  readonly retryAfterSeconds: number | undefined
  readonly headers: Readonly<Record<string, string | readonly string[]>>

  constructor(code: ErrorCode, particulars: Particulars = {}) {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(catalogue[code].message, { cause: particulars.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'GatewayError'
    this.code = code
    this.status = particulars.status ?? catalogue[code].status
    this.details = particulars.details
    this.fields = particulars.fields
    this.retryAfterSeconds = particulars.retryAfterSeconds
    this.headers = particulars.headers ?? {}
  }
}
