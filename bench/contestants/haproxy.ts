import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, freePort } from '../../test/support/processes.ts'
import { startPinned } from '../pinned.ts'
import { nameOf, wideLimits, type Contestant, type Surroundings } from './contestant.ts'

/** The path of HAProxy, or undefined. */
export function haproxyProgram(): string | undefined {
  return findProgram('haproxy', ['/usr/sbin'])
}

/**
 * HAProxy with a map of credentials and stick tables: rates of users and organizations counted in
 * this process alone, no concurrency, no digest of the secret.
 */
export async function startHaproxy(surroundings: Surroundings): Promise<Contestant> {
  const { folder, users, tls } = surroundings
  const own = nameOf('haproxy', surroundings)
  const port = await freePort()
  const file = (name: string, lines: readonly string[]): string => {
    const path = join(folder, name)
    writeFileSync(path, `${lines.join('\n')}\n`)
    return path
  }
  const credentials = file(
    `${own}-credentials.map`,
    users.map(({ basic, userId }) => `${basic} ${userId}`),
  )
  const organizations = file(
    `${own}-organizations.map`,
    users.map(({ userId, organizationId }) => `${userId} ${organizationId}`),
  )
  const configuration = file(`${own}.cfg`, [
    configurationOf({
      listen: `127.0.0.1:${port}${tls === undefined ? '' : ` ssl crt ${tls.both} alpn h2,http/1.1`}`,
      credentials,
      organizations,
      upstream: surroundings.upstream.url,
    }),
  ])
  const server = startPinned(folder, own, 'contestant', [
    haproxyProgram() ?? 'haproxy',
    '-db',
    '-f',
    configuration,
  ])
  return { name: own, port, server, requiredFields: ['x-ratelimit-limit'] }
}

type Places = {
  readonly listen: string
  readonly credentials: string
  readonly organizations: string
  readonly upstream: string
}

function configurationOf({ listen, credentials, organizations, upstream }: Places): string {
  const { user, organization } = wideLimits
  return `
global
  nbthread 1
  maxconn 4096
  log stdout format raw local0

defaults
  mode http
  log global
  option httplog
  option http-keep-alive
  http-reuse always
  unique-id-format %{+X}o%ci%cp%Ts%rt
  timeout connect 1s
  timeout client 60s
  timeout server 60s

backend users
  stick-table type string len 64 size 100k expire 120s store http_req_rate(${user.windowSeconds}s)

backend organizations
  stick-table type string len 64 size 100k expire 120s store http_req_rate(${organization.windowSeconds}s)

frontend public
  bind ${listen}
  http-request set-var(txn.user) req.hdr(authorization),word(2,' '),map(${credentials}) if { req.hdr(authorization) -m beg -i "basic " }
  http-request deny deny_status 401 unless { var(txn.user) -m found }
  http-request set-var(txn.organization) var(txn.user),map(${organizations})
  http-request track-sc0 var(txn.user) table users
  http-request track-sc1 var(txn.organization) table organizations
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt ${user.requests} } || { sc_http_req_rate(1) gt ${organization.requests} }
  http-request del-header authorization
  http-request set-header X-Request-Id %[unique-id]
  http-request set-header Gatehouse-Principal-Id %[var(txn.user)]
  http-request set-header Gatehouse-Organization-Id %[var(txn.organization)]
  http-request set-header X-Forwarded-For %[src]
  http-response set-header X-Request-Id %[unique-id]
  http-response set-header X-RateLimit-Limit ${user.requests}
  http-response set-header X-RateLimit-Remaining %[sc_http_req_rate(0),neg,add(${user.requests})]
  default_backend service

backend service
  server service ${new URL(upstream).host} maxconn 1024
`
}
