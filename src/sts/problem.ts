/** Codes of RFC 6749 §5.2, `invalid_target` of RFC 8693 §2.2.2, `temporarily_unavailable` of §4.1.2.1. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_grant'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'temporarily_unavailable'

/** Why a request gets no token, as its caller may know it. */
export type Problem = {
  readonly kind: 'problem'
  /** 400 even for a bad subject token: it is no authentication, so 401 would need a challenge. */
  readonly status: 400 | 413 | 503
  readonly code: OAuthErrorCode
  /** Sentences, of the characters that RFC 6749 §5.2 allows: no quotation mark, no backslash. */
  readonly description: string
}

/** A problem of the request itself. */
export function problem(code: OAuthErrorCode, description: string): Problem {
  return { kind: 'problem', status: 400, code, description }
}

/** More than 64 KiB were sent. */
export const bodyTooLarge: Problem = {
  kind: 'problem',
  status: 413,
  code: 'invalid_request',
  description: 'The body is larger than 64 KiB.',
}

/**
 * The token may be good, but cannot be checked now. In particular it is no `invalid_grant`, for
 * which clients throw their token away.
 */
export const unavailable: Problem = {
  kind: 'problem',
  status: 503,
  code: 'temporarily_unavailable',
  description: 'Tokens cannot be exchanged at the moment. Send the request again after a pause.',
}

/**
 * The body of a refusal: OAuth clients read `error` and `error_description`, callers of the
 * reference's surface read `errors[0].detail`, and each ignores what the other needs.
 */
export function problemBody({ status, code, description }: Problem, requestId: string) {
  const error = { id: requestId, status: String(status), code, detail: description, source: {} }
  return { error: code, error_description: description, errors: [error] }
}
