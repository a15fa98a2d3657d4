import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { Incoming } from '../message.ts'
import type { PlainHead } from './plain-head.ts'

/** A request without a body, with the members that the chain uses of Node's own. */
export class PlainIncoming implements Incoming {
  readonly httpVersion = '1.1'
  // Nothing of it is to come, as Node says of a request without a body.
  readonly complete = true
  readonly closed = true
  readonly readableFlowing = null
  readonly method: string
  readonly url: string
  readonly rawHeaders: string[]
  readonly socket: Socket
  #headers: IncomingHttpHeaders | undefined

  constructor({ method, url, rawHeaders }: PlainHead, socket: Socket) {
    this.method = method
    this.url = url
    this.rawHeaders = rawHeaders as string[]
    this.socket = socket
  }

  get headers(): IncomingHttpHeaders {
    this.#headers ??= joined(this.rawHeaders)
    return this.#headers
  }

  isPaused(): boolean {
    return false
  }

  pause(): this {
    return this
  }

  resume(): this {
    return this
  }

  on(): this {
    return this
  }

  once(): this {
    return this
  }

  off(): this {
    return this
  }
}

/** Fields that say one thing: of several, Node keeps the first. */
const single = new Set(
  (
    'age authorization content-length content-type etag expires from host if-modified-since ' +
    'if-unmodified-since last-modified location max-forwards proxy-authorization referer retry-after ' +
    'server user-agent'
  ).split(' '),
)

/** By name in lower case, fields with one name joined as Node joins them. */
function joined(rawHeaders: readonly string[]): IncomingHttpHeaders {
  const fields: Record<string, string | string[]> = Object.create(null)
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    const value = rawHeaders[index + 1] ?? ''
    const known = fields[name]
    if (name === 'set-cookie') fields[name] = [...(known ?? []), value]
    else if (known === undefined) fields[name] = value
    else if (!single.has(name)) fields[name] = `${String(known)}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  return fields
}
