import type { BenchUser } from '../users.ts'
import type { Upstream } from '../upstream.ts'
import type { Pinned } from '../pinned.ts'

/** What every contestant is given. */
export type Surroundings = {
  /** A folder of this run's own. */
  readonly folder: string
  readonly upstream: Upstream
  readonly redis: { readonly url: string; readonly port: number }
  readonly databaseUrl: string
  readonly users: readonly BenchUser[]
  /** Undefined: plain HTTP/1.1. */
  readonly tls?: ListeningTls
}

/** Contestants speak TLS with HTTP/1.1 and HTTP/2, as their clients choose. Paths, in PEM. */
export type ListeningTls = {
  readonly certificate: string
  readonly key: string
  /** Certificate and key in one file. */
  readonly both: string
}

/** The same contestant may stand beside itself, with TLS and without. */
export function nameOf(name: string, { tls }: Surroundings): string {
  return tls === undefined ? name : `${name}-tls`
}

/** Where an nginx listens, on the loopback address. */
export function nginxListens(port: number, { tls }: Surroundings): string {
  const plain = `listen 127.0.0.1:${port} backlog=4096`
  if (tls === undefined) return `${plain};`
  return `${plain} ssl http2; ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};`
}

/** A contestant that runs. */
export type Contestant = {
  readonly name: string
  readonly port: number
  readonly server: Pinned
  /** Response fields that a request with a valid key must be answered with. */
  readonly requiredFields: readonly string[]
  /** How many requests since the last look were decided without Redis, where that can happen. */
  readonly takeDegraded?: () => number
}

/** Limits so large that nobody is refused. Those of an organization bind 16 users. */
export const wideLimits = {
  user: { requests: 10_000_000, windowSeconds: 60, concurrent: 10_000 },
  organization: { requests: 100_000_000, windowSeconds: 60, concurrent: 100_000 },
} as const

/** The path that is measured. Every contestant forwards it as it is. */
export const measuredPath = '/bench/v1/resources-07/r-42'

export const limitFields = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']
