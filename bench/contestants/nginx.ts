import { freePort } from '../../test/support/processes.ts'
import { startNginx } from '../nginx.ts'
import type { Contestant, Surroundings } from './contestant.ts'

/** The floor: nginx that forwards and does nothing else. */
export async function startBareNginx({ folder, upstream }: Surroundings): Promise<Contestant> {
  const port = await freePort()
  const server = await startNginx({
    name: 'nginx',
    folder,
    core: 'contestant',
    http: `
  upstream service {
    server ${new URL(upstream.url).host};
    keepalive 64;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }`,
  })
  return { name: 'nginx', port, server, requiredFields: [] }
}
