import ipaddr from 'ipaddr.js'

/** Who is at the other end of a connection, as far as trusted proxies tell. */
export type Client = {
  /** IP address in canonical text form; IPv4-mapped IPv6 addresses as IPv4. */
  readonly address: string
  /** Address of the peer itself: the client's, or the nearest proxy's. */
  readonly peer: string
  /** Whether the peer is a trusted proxy, so that its forwarding fields count. */
  readonly behindProxy: boolean
}

/** Tells the client from the peer's address and the values of all X-Forwarded-For fields, joined. */
export type FindClient = (peer: string, forwardedFor: string | undefined) => Client

/**
 * @param trustedProxies addresses and CIDR ranges whose forwarding fields are believed
 * @throws {Error} where an entry is neither
 */
export function createFindClient(trustedProxies: readonly string[]): FindClient {
  const ranges = trustedProxies.map((entry) =>
    entry.includes('/') ? ipaddr.parseCIDR(entry) : singleAddress(entry),
  )
  const isTrusted = (address: string): boolean =>
    ranges.some((range) => inRange(ipaddr.process(address), range))
  return (peer, forwardedFor) => {
    const nearest = unmapped(peer)
    if (ranges.length === 0 || !isTrusted(nearest)) {
      return { address: nearest, peer: nearest, behindProxy: false }
    }
    const address = rightmostUntrusted(nearest, forwardedFor, isTrusted)
    return { address, peer: nearest, behindProxy: true }
  }
}

/** Proxies append, so only what stands right of the first untrusted address was written by one of ours. */
function rightmostUntrusted(
  peer: string,
  forwardedFor: string | undefined,
  isTrusted: (address: string) => boolean,
): string {
  let nearest = peer
  for (const entry of (forwardedFor ?? '').split(',').reverse()) {
    const candidate = withoutPort(entry.trim())
    if (!ipaddr.isValid(candidate)) return nearest
    nearest = ipaddr.process(candidate).toString()
    if (!isTrusted(nearest)) return nearest
  }
  return nearest
}

/** Some proxies write the port as well: `192.0.2.1:4711`, `[2001:db8::1]:4711` (RFC 7239 §6). */
function withoutPort(entry: string): string {
  const written = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::\d{1,5})?$/.exec(entry)
  return written?.[1] ?? written?.[2] ?? entry
}

/**
 * The address under which unauthenticated calls are counted: an IPv6 client owns a /64 at least,
 * so counting single addresses would let it rotate.
 */
export function limitedAddress(address: string): string {
  if (!address.includes(':')) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  const network = (parsed as ipaddr.IPv6).parts.slice(0, 4)
  return `${network.map((part) => part.toString(16)).join(':')}::/64`
}

/** Whether an address or host name of a listener is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback'
}

function unmapped(peer: string): string {
  if (!peer.includes(':')) return peer
  return ipaddr.process(peer.split('%', 1)[0] ?? '').toString()
}

function singleAddress(entry: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const address = ipaddr.process(entry)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

function inRange(
  address: ipaddr.IPv4 | ipaddr.IPv6,
  [network, bits]: [ipaddr.IPv4 | ipaddr.IPv6, number],
): boolean {
  return address.kind() === network.kind() && address.match(network, bits)
}
