import { GatewayError } from '../errors/gateway-error.ts'

/** Enough for every host that is in use; beyond it, somebody is making them up. */
const maxRemembered = 1_000
const remembered = new Map<string, string>()

/**
 * Parse a Host field value (or the authority of an absolute-form target).
 *
 * @returns the host in lower case, without port and trailing dot; IPv6 in brackets
 * @throws {GatewayError} HOST_INVALID
 * @see RFC 9110 §7.2, RFC 3986 §3.2.2
 */
export function parseHost(value: string): string {
  const known = remembered.get(value)
  if (known !== undefined) return known
  const host = parse(value)
  if (remembered.size >= maxRemembered) remembered.clear()
  remembered.set(value, host)
  return host
}

function parse(value: string): string {
  const parsed =
    /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}))(?::(\d{0,5}))?$/.exec(value)
  const host = parsed?.[1]?.toLowerCase().replace(/\.$/, '')
  if (
    host === undefined ||
    host === '' ||
    host.includes('..') ||
    Number(parsed?.[2] ?? 0) > 65535
  ) {
    throw new GatewayError('HOST_INVALID')
  }
  return host
}
