import type { Socket } from 'node:net'
import type { Incoming } from '../message.ts'
import type { PlainHead } from './plain-head.ts'

/** A request that has come whole, with the members that the chain uses of Node's own. */
export class PlainIncoming implements Incoming {
  readonly httpVersion = '1.1'
  readonly complete = true
  readonly method: string
  readonly url: string
  readonly rawHeaders: string[]
  readonly socket: Socket
  /** Whether it is being read; null before. */
  readableFlowing: boolean | null = null
  /** What has not been read of the body; undefined behind its end. */
  #body: Buffer | undefined
  #onData: ((chunk: Buffer) => void) | undefined
  #onEnd: (() => void) | undefined

  constructor({ method, url, rawHeaders }: PlainHead, body: Buffer | undefined, socket: Socket) {
    this.method = method
    this.url = url
    this.rawHeaders = rawHeaders as string[]
    this.socket = socket
    this.#body = body
  }

  /** As of Node's own, whose 'close' follows its end. */
  get closed(): boolean {
    return this.#body === undefined
  }

  isPaused(): boolean {
    return this.readableFlowing === false
  }

  pause(): void {
    this.readableFlowing = false
  }

  resume(): void {
    if (this.readableFlowing === true || this.#body === undefined) return
    this.readableFlowing = true
    process.nextTick(this.#flow)
  }

  on(event: 'data' | 'end' | 'close', run: (chunk: Buffer) => void): this {
    if (event === 'data') this.#onData = run
    return this
  }

  once(event: 'end' | 'close', run: () => void): this {
    // A body that has come whole ends; its connection may close, which its response tells.
    if (event === 'end') this.#onEnd = run
    return this
  }

  off(event: 'data' | 'end' | 'close'): this {
    if (event === 'data') this.#onData = undefined
    else if (event === 'end') this.#onEnd = undefined
    return this
  }

  readonly #flow = (): void => {
    const body = this.#body
    if (this.readableFlowing !== true || body === undefined) return
    this.#body = body.subarray(body.length)
    if (body.length > 0) this.#onData?.(body)
    // Whoever has taken it may have no room for more.
    if (this.isPaused()) return
    this.#body = undefined
    this.#onEnd?.()
  }
}
