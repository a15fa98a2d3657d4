import type { Server, Socket } from 'node:net'
import type { ErrorCode } from '../../errors/catalogue.ts'
import { newConnection, type ConnectionState } from '../connection-state.ts'
import type { ServerLimits } from '../server-limits.ts'
import { PlainConnection, type PlainEvents } from './plain-connection.ts'

/** What a server does with what comes on its connections. */
type Serving = Pick<PlainEvents, 'onRequest'> & {
  readonly limits: ServerLimits
  /** What came belongs to Node's server from now on. */
  readonly onOther: (socket: Socket, state: ConnectionState) => void
  /** A head broke off, or did not come in time. */
  readonly onUnreadable: (socket: Socket, code: ErrorCode) => void
}

export type PlainConnections = {
  /** Close those that carry nothing now. */
  readonly closeResting: () => void
  readonly destroy: () => void
}

/** Node closes a connection so much later than it has told its client, whose request may be on its way. */
const marginMs = 1_000

/**
 * Take the connections of a server of Node's before it does, and leave to it whatever is no plain request.
 * A request whose head one pattern reads needs neither Node's parser nor its streams and timers.
 *
 * @param event by which the server hears of connections on which HTTP is spoken
 */
export function servePlain(
  server: Server,
  event: 'connection' | 'secureConnection',
  { limits, onRequest, onOther, onUnreadable }: Serving,
): PlainConnections {
  const open = new Set<PlainConnection>()
  const take = server.listeners(event)
  const bounds = {
    maxHeaderBytes: limits.maxHeaderBytes,
    idleTimeoutMs: limits.idleTimeoutMs,
    keepAlive: `timeout=${Math.floor(limits.keepAliveTimeoutMs / 1_000)}`,
  }
  const events: PlainEvents = {
    onRequest,
    onUnreadable(connection, code) {
      open.delete(connection)
      onUnreadable(connection.socket, code)
    },
    onOther(connection) {
      open.delete(connection)
      onOther(connection.socket, connection.state)
      for (const run of take) run.call(server, connection.socket)
    },
    onClose(connection) {
      open.delete(connection)
    },
  }

  server.removeAllListeners(event)
  server.on(event, (socket: Socket) => {
    open.add(new PlainConnection(socket, newConnection(), bounds, events))
  })

  const everyMs = Math.min(1_000, limits.headersTimeoutMs / 4, limits.keepAliveTimeoutMs / 4)
  const sweep = setInterval(() => {
    const now = performance.now()
    for (const connection of open) endOverdue(connection, now)
  }, everyMs).unref()
  server.once('close', () => {
    clearInterval(sweep)
  })

  function endOverdue(connection: PlainConnection, now: number): void {
    if (!connection.isResting) return
    const { state, isWithinHead } = connection
    const restedMs = now - connection.since
    if (isWithinHead || state.requests === 0) {
      if (restedMs > limits.headersTimeoutMs) connection.refuse('REQUEST_TIMEOUT')
    } else if (restedMs > restMs(state)) {
      connection.socket.destroy()
    }
  }

  function restMs({ isKnown }: ConnectionState): number {
    return isKnown ? limits.keepAliveTimeoutMs + marginMs : limits.headersTimeoutMs
  }

  return {
    closeResting() {
      for (const { isResting, isWithinHead, socket } of open) {
        if (isResting && !isWithinHead) socket.destroy()
      }
    },
    destroy() {
      for (const { socket } of open) socket.destroy()
    },
  }
}
