import type { Duplex } from 'node:stream'
import { lingerMs } from './answer.ts'
import type { Outgoing } from './message.ts'
import { valuesOf } from './raw-fields.ts'
import { aboutBytes, fieldsWithout, responseFields, type OwnFields } from './response-fields.ts'
import type { Upgrade } from './upgrade.ts'

/** The upstream's side of an upgrade that it says it has agreed to. */
export type Agreement = {
  readonly upstream: Duplex
  readonly rawFields: readonly string[]
  readonly own: OwnFields
}

/**
 * Whether a 101 is about what was asked for. Any other leaves the two sides with different ideas of what
 * the bytes are. (That `Connection` names `Upgrade`, undici's parser has seen.)
 */
export function agrees(rawFields: readonly string[], { protocol }: Upgrade): boolean {
  const named = valuesOf(rawFields, 'upgrade')
  return named.length === 1 && named[0]?.trim().toLowerCase() === protocol
}

/**
 * Pass the upstream's 101 on, and from then on bytes, both ways and with back-pressure. What ends one
 * side ends the other: its end once all that came before it has passed, a break at once. So does a time
 * in which nothing passes.
 */
export function switchProtocols(
  upgrade: Upgrade,
  outgoing: Outgoing,
  { upstream, rawFields, own }: Agreement,
): void {
  const { socket: client, protocol, idleTimeoutMs } = upgrade
  upgrade.isAgreed = true
  const fields = fieldsWithout(responseFields(rawFields, own), aboutBytes)
  outgoing.writeHead(101, [...fields, 'Connection', 'Upgrade', 'Upgrade', protocol])
  outgoing.flushHeaders()
  client.pipe(upstream)
  upstream.pipe(client, { end: false })
  // The client hears of an end through its response, which is what slots and log wait for.
  upstream.once('end', () => outgoing.end())
  upstream.once('close', () => {
    if (!upstream.readableEnded) client.destroy()
  })
  client.once('end', () => {
    const timer = setTimeout(() => upstream.destroy(), lingerMs)
    upstream.once('close', () => {
      clearTimeout(timer)
    })
  })
  client.once('close', () => upstream.destroy())
  // Whatever passes, in either direction, passes here.
  client.setTimeout(idleTimeoutMs, () => client.destroy())
}
