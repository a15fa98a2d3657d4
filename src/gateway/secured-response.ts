import type { Socket } from 'node:net'
import { ServerResponse, type OutgoingHttpHeader, type OutgoingHttpHeaders } from 'node:http'

type Fields = OutgoingHttpHeaders | OutgoingHttpHeader[]

/**
 * Node's response, with fields that go with every answer whatever it is. Were they set before the head is
 * written, Node would set each of the other fields once more.
 */
export class SecuredResponse extends ServerResponse {
  /** Names and values in turn. */
  security: readonly string[] = []

  /** One that was cut while those before it were answered: Node would wait for its end, and all behind it too. */
  override assignSocket(socket: Socket): void {
    super.assignSocket(socket)
    if (this.destroyed) socket.destroy()
  }

  override writeHead(status: number, reason?: string, fields?: Fields): this
  override writeHead(status: number, fields?: Fields): this
  override writeHead(status: number, reasonOrFields?: string | Fields, fields?: Fields): this {
    if (typeof reasonOrFields === 'string') {
      return super.writeHead(status, reasonOrFields, withSecurity(fields, this.security))
    }
    return super.writeHead(status, withSecurity(reasonOrFields, this.security))
  }
}

/** Whoever answers here gives a list that is made for the answer. */
function withSecurity(fields: Fields | undefined, security: readonly string[]): Fields | undefined {
  if (Array.isArray(fields)) fields.push(...security)
  return fields
}

/** Tells browsers never to come without TLS (RFC 6797 §6.1). */
export function strictTransport(seconds: number): readonly string[] {
  return ['Strict-Transport-Security', `max-age=${seconds}`]
}
