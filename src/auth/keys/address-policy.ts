import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js'

/** Where documents of identity providers may be fetched from. */
export type AddressPolicy = {
  /**
   * Say what is wrong with a URL, or undefined where nothing is. For use when a provider is written,
   * and again before every fetch.
   */
  readonly flawOf: (url: string) => UrlFlaw | undefined
  /** Say whether a name may be connected to at an address that it resolved to. */
  readonly permits: (host: string, address: string) => boolean
}

export type UrlFlaw = 'not-a-url' | 'scheme' | 'user-info' | 'host-spelling' | 'address'

type Options = {
  /** Networks (`10.1.0.0/16`), addresses and host names that are allowed besides public addresses. */
  readonly allow: readonly string[]
  /** Whether `http:` is allowed; for tests and closed networks. */
  readonly allowHttp: boolean
}

type Network = readonly [IPv4 | IPv6, number]

/**
 * Keep fetches off private addresses: an issuer is written by a customer, and must not make the
 * gateway knock at its own network. Only global unicast addresses are permitted: not private,
 * loopback, link-local, shared (CGNAT), multicast, documentation or reserved ones, nor IPv6 forms
 * that carry an IPv4 address (mapped, NAT64, 6to4, Teredo), unless listed.
 *
 * @throws {RangeError} where an entry of `allow` with a slash is no network
 */
export function createAddressPolicy({ allow, allowHttp }: Options): AddressPolicy {
  const networks = allow.flatMap(networkOf)
  const names = new Set(allow.map((entry) => entry.toLowerCase()))
  return { flawOf, permits }

  function flawOf(text: string): UrlFlaw | undefined {
    const url = URL.parse(text)
    if (url === null || url.hostname === '') return 'not-a-url'
    if (url.protocol !== 'https:' && !(allowHttp && url.protocol === 'http:')) return 'scheme'
    if (url.username !== '' || url.password !== '') return 'user-info'
    // Decimal, octal, hexadecimal and shortened addresses, full-width digits, percent-encoding: the
    // URL parser reads them all, another reader may not. What it rewrites is refused.
    if (writtenHost(text) !== url.hostname) return 'host-spelling'
    const address = bare(url.hostname)
    return isAddress(address) && !permits(url.hostname, address) ? 'address' : undefined
  }

  function permits(host: string, text: string): boolean {
    if (names.has(host.toLowerCase())) return true
    const address = addressOf(text)
    if (address === undefined) return false
    return isGlobalUnicast(address) || networks.some((network) => contains(network, address))
  }
}

function networkOf(entry: string): readonly Network[] {
  if (isAddress(entry))
    return [[ipaddr.parse(entry), ipaddr.parse(entry).kind() === 'ipv4' ? 32 : 128]]
  if (!entry.includes('/')) return []
  try {
    return [ipaddr.parseCIDR(entry)]
  } catch (cause) {
    throw new RangeError(`not a network: ${entry}`, { cause })
  }
}

function contains([network, bits]: Network, address: IPv4 | IPv6): boolean {
  const plain = unmapped(address)
  return plain.kind() === network.kind() && plain.match(network, bits)
}

/** `::ffff:10.0.0.1` is the same place as `10.0.0.1`. */
function unmapped(address: IPv4 | IPv6): IPv4 | IPv6 {
  return isIPv6(address) && address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

function isGlobalUnicast(address: IPv4 | IPv6): boolean {
  if (address.range() !== 'unicast') return false
  // ipaddr.js calls unicast what no special range covers, ::127.0.0.1 for one; only 2000::/3 is
  // assigned (RFC 4291 §2.4).
  return !isIPv6(address) || ((address.parts[0] ?? 0) & 0xe000) === 0x2000
}

function isIPv6(address: IPv4 | IPv6): address is IPv6 {
  return address.kind() === 'ipv6'
}

function writtenHost(url: string): string | undefined {
  return /^https?:\/\/(\[[^\]]*\]|[^/?#:\\]*)/i.exec(url)?.[1]?.toLowerCase()
}

function bare(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

function isAddress(text: string): boolean {
  return addressOf(text) !== undefined
}

/** Only the usual spellings: ipaddr.js reads `127.1` and `0x7f.1` too. */
function addressOf(text: string): IPv4 | IPv6 | undefined {
  if (!/^(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[^:]*:)[\da-f:.]*)$/i.test(text)) return undefined
  try {
    return ipaddr.parse(text)
  } catch {
    // A name, then.
    return undefined
  }
}
