/** What is the same about every answer with one code: the contract that callers program against. */
export type CatalogueEntry = {
  /** HTTP status code. */
  readonly status: number
  /** What went wrong, in active voice, without a final period. */
  readonly message: string
  /** What the caller can do about it: one or more sentences. */
  readonly suggestion: string
  /** Whether the same request can succeed later without being changed. */
  readonly retryable: boolean
}

/**
 * Every error that Gatehouse answers, by code. The code is a contract; the texts are not.
 * A page of documentation is made from each entry, and a test reaches each through a socket.
 */
export const catalogue = {
  // The request as bytes
  REQUEST_MALFORMED: {
    status: 400,
    message: 'The request is not valid HTTP',
    suggestion: 'Send the request with a standard HTTP client, without hand-made framing fields.',
    retryable: false,
  },
  TARGET_INVALID: {
    status: 400,
    message: 'The request target is ambiguous or malformed',
    suggestion:
      'Send a path without dot segments, empty segments, backslashes, control characters, or encoded forms of them.',
    retryable: false,
  },
  HOST_INVALID: {
    status: 400,
    message: 'The Host header field is missing or malformed',
    suggestion: 'Send exactly one Host header field with a host name and an optional port.',
    retryable: false,
  },
  HOST_UNKNOWN: {
    status: 421,
    message: 'No API is served under this host name',
    suggestion: 'Check the host name against the servers that the API reference lists.',
    retryable: false,
  },
  REQUEST_TIMEOUT: {
    status: 408,
    message: 'The request did not arrive in time',
    suggestion: 'Send the request again over a faster connection.',
    retryable: true,
  },
  BODY_TOO_LARGE: {
    status: 413,
    message: 'The request body is larger than this API accepts',
    suggestion: 'Send a smaller body, or split the request into several.',
    retryable: false,
  },
  TARGET_TOO_LONG: {
    status: 414,
    message: 'The request target is too long',
    suggestion: 'Shorten the path or the query string.',
    retryable: false,
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    message: 'The request header fields are too many or too large',
    suggestion: 'Send fewer or shorter header fields.',
    retryable: false,
  },
  EXPECTATION_FAILED: {
    status: 417,
    message: 'The Expect header field asks for something that is not supported',
    suggestion: 'Send "Expect: 100-continue" or no Expect header field.',
    retryable: false,
  },
  METHOD_NOT_IMPLEMENTED: {
    status: 501,
    message: 'The request method is not implemented',
    suggestion: 'Use a method that the API reference lists for this path.',
    retryable: false,
  },
  TRANSFER_CODING_NOT_IMPLEMENTED: {
    status: 501,
    message: 'The transfer coding of the request is not implemented',
    suggestion: 'Send the body with a Content-Length, or with "Transfer-Encoding: chunked" alone.',
    retryable: false,
  },
  UPGRADE_NOT_IMPLEMENTED: {
    status: 501,
    message: 'Protocol upgrades are not supported here',
    suggestion: 'Send the request without the Upgrade header field.',
    retryable: false,
  },
  HTTPS_REQUIRED: {
    status: 403,
    message: 'This API answers over HTTPS only',
    suggestion:
      'Send the request again over HTTPS. Replace the credential if it was sent over plain HTTP.',
    retryable: false,
  },

  // Which operation
  OPERATION_NOT_FOUND: {
    status: 404,
    message: 'No operation exists at this path',
    suggestion: 'Check the path against the API reference.',
    retryable: false,
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    message: 'This path does not support the request method',
    suggestion: 'Use one of the methods that the Allow header field lists.',
    retryable: false,
  },

  // Who is asking, and whether they may
  AUTHENTICATION_REQUIRED: {
    status: 401,
    message: 'The request carries no credentials',
    suggestion: 'Send the credentials in the Authorization header field.',
    retryable: false,
  },
  CREDENTIAL_MALFORMED: {
    status: 400,
    message: 'The Authorization header field is malformed',
    suggestion:
      'Send one Authorization header field: "Basic" and the Base64 form of the key id, a colon and the secret, or "Bearer" and a token.',
    retryable: false,
  },
  CREDENTIAL_REJECTED: {
    status: 401,
    message: 'The credentials are not valid for this operation',
    suggestion:
      'Check that the credentials are complete, active, and of a kind that the API reference lists for this operation.',
    retryable: false,
  },
  ACCESS_DENIED: {
    status: 403,
    message: 'The principal is not allowed to do this',
    suggestion: 'Ask an administrator of the organization for the permission.',
    retryable: false,
  },
  DIRECTORY_UNAVAILABLE: {
    status: 503,
    message: 'The credentials cannot be checked at the moment',
    suggestion: 'Send the request again after a short pause.',
    retryable: true,
  },

  // Whether it may pass now
  RATE_LIMIT_EXCEEDED: {
    status: 429,
    message: 'Too many requests arrived in the current window',
    suggestion:
      'Wait for the seconds that Retry-After names, then continue with capped exponential backoff and jitter.',
    retryable: true,
  },
  CONCURRENCY_LIMIT_EXCEEDED: {
    status: 429,
    message: 'Too many requests are in flight at the same time',
    suggestion: 'Wait for earlier requests to finish, or send fewer requests in parallel.',
    retryable: true,
  },
  QUOTA_EXCEEDED: {
    status: 402,
    message: 'The request exceeds a quota',
    suggestion:
      'Wait until the quota renews where the details say when, free some of what it counts, or ask for a higher quota.',
    retryable: false,
  },
  LIMITER_UNAVAILABLE: {
    status: 503,
    message: 'The limits of this API cannot be checked at the moment',
    suggestion: 'Send the request again after a short pause.',
    retryable: true,
  },

  // What the service behind the gateway answered, or did not
  UPSTREAM_UNREACHABLE: {
    status: 502,
    message: 'The service behind this API cannot be reached',
    suggestion: 'Send the request again after a short pause.',
    retryable: true,
  },
  UPSTREAM_INVALID_RESPONSE: {
    status: 502,
    message: 'The service behind this API gave an invalid answer',
    suggestion:
      'Send the request again if it is safe to repeat. Contact support with the request id if this persists.',
    retryable: true,
  },
  UPSTREAM_TIMEOUT: {
    status: 504,
    message: 'The service behind this API did not answer in time',
    suggestion: 'Send the request again if it is safe to repeat.',
    retryable: true,
  },
  INVALID_REQUEST: {
    status: 400,
    message: 'The service refused the request as invalid',
    suggestion: 'Check the parameters and the body against the API reference.',
    retryable: false,
  },
  RESOURCE_NOT_FOUND: {
    status: 404,
    message: 'The resource does not exist, or is hidden from this principal',
    suggestion: 'Check the identifier, and that the principal may see the resource.',
    retryable: false,
  },
  NOT_ACCEPTABLE: {
    status: 406,
    message: 'The service cannot answer in an accepted media type',
    suggestion: 'Send an Accept header field with a media type that the API reference lists.',
    retryable: false,
  },
  CONFLICT: {
    status: 409,
    message: 'The request conflicts with the current state of the resource',
    suggestion: 'Read the resource, resolve the conflict, and send the request again.',
    retryable: false,
  },
  GONE: {
    status: 410,
    message: 'The resource is no longer available',
    suggestion: 'Remove references to this resource.',
    retryable: false,
  },
  PRECONDITION_FAILED: {
    status: 412,
    message: 'A precondition of the request does not hold',
    suggestion: 'Read the resource again and repeat the change on its current version.',
    retryable: false,
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    message: 'The service does not support the media type of the body',
    suggestion: 'Send the body in a media type that the API reference lists.',
    retryable: false,
  },
  VALIDATION_FAILED: {
    status: 422,
    message: 'The request failed validation',
    suggestion: 'Correct the fields that the API reference constrains, and send the request again.',
    retryable: false,
  },
  REQUEST_REFUSED: {
    status: 400,
    message: 'The service refused the request',
    suggestion: 'Check the request against the API reference.',
    retryable: false,
  },
  UPSTREAM_FAILED: {
    status: 500,
    message: 'The service behind this API failed',
    suggestion:
      'Send the request again if it is safe to repeat. Contact support with the request id if this persists.',
    retryable: true,
  },
  SERVICE_UNAVAILABLE: {
    status: 503,
    message: 'The service behind this API is not available at the moment',
    suggestion: 'Send the request again after a short pause.',
    retryable: true,
  },

  // The gateway itself
  SHUTTING_DOWN: {
    status: 503,
    message: 'This instance is shutting down',
    suggestion: 'Send the request again; another instance answers it.',
    retryable: true,
  },
  OVERLOADED: {
    status: 503,
    message: 'This instance has more to do than it can',
    suggestion: 'Send the request again after the seconds that Retry-After names.',
    retryable: true,
  },
  INTERNAL_ERROR: {
    status: 500,
    message: 'The gateway failed to handle the request',
    suggestion: 'Contact support with the request id if this persists.',
    retryable: true,
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>

/** A code of the catalogue: upper case, words separated by underscores. */
export type ErrorCode = keyof typeof catalogue
