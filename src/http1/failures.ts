/** How an exchange with the other end failed; the head or body of an answer is never made up for it. */
export type ConnectionFailureCode =
  'CONNECT_TIMEOUT' | 'HEAD_TIMEOUT' | 'BODY_TIMEOUT' | 'CONNECTION_CLOSED' | 'POOL_CLOSED'

/** The connection could not be had, or did not last; what the system says of it is passed on as it is. */
export class ConnectionFailure extends Error {
  readonly code: ConnectionFailureCode

  constructor(code: ConnectionFailureCode, message: string) {
    super(message)
    this.code = code
  }
}

/** The request waited too long for a connection that was free. */
export class QueueTimeout extends Error {}

/** An answer that is no HTTP/1.1, or HTTP/1.1 that two readers could understand differently. */
export class InvalidResponse extends Error {}

/** Nothing more comes on the connection. */
export function closedByPeer(): ConnectionFailure {
  return new ConnectionFailure('CONNECTION_CLOSED', 'The other side closed the connection')
}

/** A deadline has passed. */
export function passed(name: 'connectMs' | 'headMs' | 'bodyMs'): ConnectionFailure {
  switch (name) {
    case 'connectMs':
      return new ConnectionFailure('CONNECT_TIMEOUT', 'No connection in time')
    case 'headMs':
      return new ConnectionFailure('HEAD_TIMEOUT', 'No answer in time')
    case 'bodyMs':
      return new ConnectionFailure('BODY_TIMEOUT', 'The answer stopped')
  }
}
