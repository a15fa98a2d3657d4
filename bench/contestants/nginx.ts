import { freePort } from '../../test/support/processes.ts'
import { startNginx } from '../nginx.ts'
import { nameOf, nginxListens, type Contestant, type Surroundings } from './contestant.ts'

/** The floor: nginx that forwards and does nothing else. */
export async function startBareNginx(surroundings: Surroundings): Promise<Contestant> {
  const { folder, upstream } = surroundings
  const name = nameOf('nginx', surroundings)
  const port = await freePort()
  const server = await startNginx({
    name,
    folder,
    core: 'contestant',
    http: `
  upstream service {
    server ${new URL(upstream.url).host};
    keepalive 64;
    keepalive_requests 1000000000;
  }
  keepalive_requests 1000000000;
  server {
    ${nginxListens(port, surroundings)}
    location / {
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }`,
  })
  return { name, port, server, requiredFields: [] }
}
