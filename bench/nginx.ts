import { existsSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { findProgram } from '../test/support/processes.ts'
import { startPinned, type Pinned } from './pinned.ts'

/** An nginx with a configuration of our own. */
export type NginxOptions = {
  readonly name: string
  readonly folder: string
  readonly core: 'contestant' | 'other'
  readonly modules?: readonly string[]
  /** What goes into the block `http`. */
  readonly http: string
}

/** The path of nginx, or undefined; Debian keeps it where not every PATH looks. */
export function nginxProgram(): string | undefined {
  return findProgram('nginx', ['/usr/sbin'])
}

const moduleFolder = '/usr/lib/nginx/modules'

/** The path of a dynamic module as Debian installs it, or undefined. */
export function nginxModule(name: string): string | undefined {
  const path = join(moduleFolder, `${name}.so`)
  return existsSync(path) ? path : undefined
}

/**
 * One process, which is a worker and its own master: it does what one worker does, and none is left
 * behind when it is killed.
 */
export async function startNginx(options: NginxOptions): Promise<Pinned> {
  const { name, folder, core, modules = [], http } = options
  const program = nginxProgram()
  if (program === undefined) throw new Error('nginx is not installed')
  const own = join(folder, name)
  await mkdir(own)
  const file = join(own, 'nginx.conf')
  const loads = modules.map((module) => `load_module ${moduleFolder}/${module}.so;`)
  const user = userInfo().uid === 0 ? 'user root;' : ''
  writeFileSync(
    file,
    `${loads.join('\n')}
${user}
daemon off;
master_process off;
worker_processes 1;
pid ${own}/nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${own}/body;
  proxy_temp_path ${own}/proxy;
  fastcgi_temp_path ${own}/fastcgi;
  uwsgi_temp_path ${own}/uwsgi;
  scgi_temp_path ${own}/scgi;
  default_type application/octet-stream;
  tcp_nodelay on;
${http}
}
`,
  )
  return startPinned(folder, name, core, [program, '-p', own, '-c', file])
}
