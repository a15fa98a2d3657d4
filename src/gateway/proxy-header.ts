import { isIPv4 as isIpv4, isIPv6 } from 'node:net'

/** What a peer said of the connection that it passes on. */
export type ProxyHeader =
  /** More bytes are needed to tell. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid' }
  /** The peer speaks for itself, as in a health check of its own. */
  | { readonly kind: 'local'; readonly length: number }
  | { readonly kind: 'proxied'; readonly length: number; readonly address: string }

/** The longest header of version 1, its line end included. */
const maxTextLength = 107

/** Longest addresses and additions of version 2 that are read; the protocol would allow 65,535. */
const maxPayloadBytes = 2_048

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const incomplete = { kind: 'incomplete' } as const
const invalid = { kind: 'invalid' } as const

/**
 * Read a PROXY protocol header of version 1 or 2 at the beginning of what a connection sent. It has
 * to be there, and strictly so: what is no header is no request either.
 *
 * @see https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const compared = Math.min(bytes.length, signature.length)
  if (bytes.subarray(0, compared).equals(signature.subarray(0, compared))) {
    return compared < signature.length ? incomplete : readBinary(bytes)
  }
  return readText(bytes)
}

function readText(bytes: Buffer): ProxyHeader {
  const text = bytes.toString('latin1', 0, maxTextLength)
  if (!text.startsWith('PROXY '.slice(0, text.length))) return invalid
  const end = text.indexOf('\r\n')
  if (end === -1) return bytes.length < maxTextLength ? incomplete : invalid
  const line = text.slice(0, end)
  const length = end + 2
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { kind: 'local', length }
  const parts = line.split(' ')
  const [, family, source = '', destination = '', from = '', to = ''] = parts
  const isAddress = family === 'TCP4' ? isIpv4 : family === 'TCP6' ? isIpv6 : undefined
  if (isAddress === undefined || parts.length !== 6) return invalid
  if (!isAddress(source) || !isAddress(destination) || !isPort(from) || !isPort(to)) return invalid
  return { kind: 'proxied', length, address: source }
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535
}

/** Version and command, family and transport, length, addresses, and additions that are passed over. */
function readBinary(bytes: Buffer): ProxyHeader {
  if (bytes.length < 16) return incomplete
  const command = bytes.readUInt8(12)
  const payloadBytes = bytes.readUInt16BE(14)
  const length = 16 + payloadBytes
  if ((command !== 0x20 && command !== 0x21) || payloadBytes > maxPayloadBytes) return invalid
  if (bytes.length < length) return incomplete
  if (command === 0x20) return { kind: 'local', length }
  const family = bytes.readUInt8(13)
  const payload = bytes.subarray(16, length)
  if (family === 0x11 && payloadBytes >= 12) {
    return { kind: 'proxied', length, address: payload.subarray(0, 4).join('.') }
  }
  if (family === 0x21 && payloadBytes >= 36) {
    return { kind: 'proxied', length, address: ipv6Text(payload.subarray(0, 16)) }
  }
  // Unspecified is for the receiver to ignore; datagrams and local sockets do not come here.
  return family === 0x00 ? { kind: 'local', length } : invalid
}

function ipv6Text(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, place) => bytes.readUInt16BE(place * 2).toString(16)).join(
    ':',
  )
}

/** A zone means something on the peer's machine only. */
function isIpv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%')
}
