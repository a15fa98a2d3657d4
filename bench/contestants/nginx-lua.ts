import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from '../../test/support/processes.ts'
import { startNginx } from '../nginx.ts'
import { occurrences } from '../occurrences.ts'
import { pepper } from '../users.ts'
import {
  limitFields,
  nameOf,
  nginxListens,
  wideLimits,
  type Contestant,
  type Surroundings,
} from './contestant.ts'

const sources = join(import.meta.dirname, 'nginx-lua')

/** The work of Gatehouse in nginx and Lua: what Kong and APISIX are made of, without their weight. */
export async function startNginxLua(surroundings: Surroundings): Promise<Contestant> {
  const { folder, upstream, redis } = surroundings
  const name = nameOf('nginx-lua', surroundings)
  const port = await freePort()
  const script = readFileSync(join(sources, 'admit.lua'), 'utf8')
  await loadScript(redis.url, script)
  writeFileSync(join(folder, 'settings.lua'), settingsOf(surroundings, script))
  const server = await startNginx({
    name,
    folder,
    core: 'contestant',
    modules: ['ndk_http_module', 'ngx_http_lua_module'],
    http: httpBlock({
      folder,
      name,
      listen: nginxListens(port, surroundings),
      upstreamHost: new URL(upstream.url).host,
    }),
  })
  return {
    name,
    port,
    server,
    requiredFields: [...limitFields, 'x-request-id'],
    takeDegraded: occurrences(server.errorFile, 'admitted without Redis'),
  }
}

async function loadScript(url: string, script: string): Promise<void> {
  const client = new Redis(url)
  try {
    await client.script('LOAD', script)
  } finally {
    client.disconnect()
  }
}

/** A Lua module. Every value is of our own making, so that quoting needs no care. */
function settingsOf({ redis, users }: Surroundings, script: string): string {
  const { user, organization } = wideLimits
  const rows = users.map(
    ({ keyId, secret, userId, organizationId }) =>
      `{ key = '${keyId}', secret = '${secret}', id = '${userId}', organization = '${organizationId}' },`,
  )
  return `return {
  redis_port = ${redis.port},
  sha1 = '${createHash('sha1').update(script).digest('hex')}',
  process = '${randomBytes(6).toString('hex')}',
  pepper = '${pepper.secret}',
  user_requests = '${user.requests}',
  user_concurrent = '${user.concurrent}',
  organization_requests = '${organization.requests}',
  organization_concurrent = '${organization.concurrent}',
  window_ms = '${user.windowSeconds * 1_000}',
  lease_ms = '10000',
  users = {
${rows.join('\n')}
  },
}
`
}

type Places = {
  readonly folder: string
  readonly name: string
  readonly listen: string
  readonly upstreamHost: string
}

function httpBlock({ folder, name, listen, upstreamHost }: Places): string {
  return `
  lua_package_path "${sources}/?.lua;${folder}/?.lua;/usr/share/lua/5.1/?.lua;;";
  lua_socket_log_errors off;
  init_by_lua_block { gateway = require 'gateway'; gateway.init() }
  init_worker_by_lua_block { gateway.init_worker() }
  log_format access escape=json '{"time":"$time_iso8601","requestId":"$request_id",'
    '"method":"$request_method","path":"$uri","host":"$host","status":$status,'
    '"principal":"$principal","organization":"$organization","clientAddress":"$remote_addr",'
    '"userAgent":"$http_user_agent","upstreamSeconds":"$upstream_response_time",'
    '"durationSeconds":$request_time}';
  upstream service {
    server ${upstreamHost};
    keepalive 64;
    keepalive_requests 1000000000;
  }
  keepalive_requests 1000000000;
  server {
    ${listen}
    access_log ${folder}/${name}.log access buffer=64k flush=1s;
    location / {
      set $principal '';
      set $organization '';
      access_by_lua_block { gateway.access() }
      log_by_lua_block { gateway.log() }
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "";
      proxy_set_header Via "1.1 bench";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Request-Id $request_id;
      proxy_set_header Gatehouse-Request-Id $request_id;
      proxy_set_header Gatehouse-Principal-Id $principal;
      proxy_set_header Gatehouse-Organization-Id $organization;
      proxy_set_header Gatehouse-Credential-Kind cloud-api-key;
      proxy_hide_header X-RateLimit-Limit;
      proxy_hide_header X-RateLimit-Remaining;
      proxy_hide_header X-RateLimit-Reset;
      proxy_hide_header X-Request-Id;
      add_header X-Request-Id $request_id always;
    }
  }`
}
