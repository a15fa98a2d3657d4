import { findProgram } from '../test/support/processes.ts'
import { provide, type Wanted } from '../test/support/provide-servers.ts'
import { haproxyProgram } from './contestants/haproxy.ts'
import { nginxModule, nginxProgram } from './nginx.ts'

/** What the bench cannot do without: nginx is its upstream. */
const needed: readonly Wanted[] = [
  {
    name: 'nginx',
    debianPackage: 'nginx-light',
    find: nginxProgram,
  },
  { name: 'wrk', debianPackage: 'wrk', find: () => findProgram('wrk') },
]

const luaModule: Wanted = {
  name: 'the Lua module of nginx',
  debianPackage: 'libnginx-mod-http-lua',
  find: () => nginxModule('ngx_http_lua_module'),
}
const haproxy: Wanted = {
  name: 'HAProxy',
  debianPackage: 'haproxy',
  find: haproxyProgram,
}

/** Contestants that cannot run, and why. */
export type MissingPeers = ReadonlyMap<string, string>

/**
 * Find the programs of the bench; install what is missing on Debian as root.
 *
 * @throws {Error} where the bench cannot run at all
 */
export function providePeers(): MissingPeers {
  const missing = provide([...needed, luaModule, haproxy], 'the bench')
  const isMissing = (wanted: Wanted): boolean => missing.includes(wanted)
  const lacking = needed.filter(isMissing)
  if (lacking.length > 0) {
    throw new Error(
      `The bench needs ${lacking.map(({ name }) => name).join(' and ')}; on Debian: apt-get install ${lacking.map(({ debianPackage }) => debianPackage).join(' ')}`,
    )
  }
  const reasons = [
    ['nginx-lua', luaModule],
    ['haproxy', haproxy],
  ] as const
  return new Map(
    reasons
      .filter(([, wanted]) => isMissing(wanted))
      .map(([contestant, wanted]) => [contestant, `${wanted.name} is not installed`]),
  )
}

/**
 * Find the load generator that speaks HTTP/2.
 *
 * @throws {Error} where it is not there and cannot be installed
 */
export function provideH2load(): void {
  const find = (): string | undefined => findProgram('h2load')
  const wanted = { name: 'h2load', debianPackage: 'nghttp2-client', find }
  if (provide([wanted], 'the bench').length === 0) return
  throw new Error('h2load is missing; on Debian: apt-get install nghttp2-client')
}
