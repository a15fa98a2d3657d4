import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import { InvalidResponse } from '../http1/failures.ts'
import type { Relay } from './relay.ts'
import { valuesOf } from './raw-fields.ts'

type Control = Dispatcher.DispatchController

/** Lets a relay hear of an answer through undici, which sends what becomes another protocol. */
export class UndiciHandler implements Dispatcher.DispatchHandler {
  readonly #relay: Relay

  constructor(relay: Relay) {
    this.#relay = relay
  }

  onRequestStart(control: Control): void {
    this.#relay.onRequestStart(control)
  }

  onResponseStart(control: Control, status: number, _fields: unknown, reason?: string): void {
    const rawFields = textOf(control.rawHeaders)
    refuseUnknownCoding(rawFields)
    this.#relay.onResponseStart(status, reason ?? '', rawFields)
  }

  /** What is thrown here, undici does not handle. */
  onRequestUpgrade(control: Control, status: number, _fields: unknown, upstream: Duplex): void {
    this.#relay.onRequestUpgrade(status, textOf(control.rawHeaders), upstream)
  }

  onResponseData(_control: Control, piece: Buffer): void {
    this.#relay.onResponseData(piece)
  }

  onResponseEnd(control: Control): void {
    this.#relay.onResponseEnd(textOf(control.rawTrailers))
  }

  onResponseError(_control: unknown, error: Error): void {
    this.#relay.onResponseError(error)
  }
}

/** undici's HTTP/1.1 parser hands fields over as bytes; its type allows other protocols. */
function textOf(raw: Control['rawHeaders']): string[] {
  if (!Array.isArray(raw)) return []
  return raw.map((each: unknown) =>
    Buffer.isBuffer(each) ? each.toString('latin1') : String(each),
  )
}

/** Whatever is not plain chunking leaves the end of the body to interpretation (RFC 9112 §6.1). */
function refuseUnknownCoding(rawFields: readonly string[]): void {
  for (const coding of valuesOf(rawFields, 'transfer-encoding')) {
    if (coding.trim().toLowerCase() !== 'chunked') throw new InvalidResponse('transfer coding')
  }
}
