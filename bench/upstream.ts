import { freePort } from '../test/support/processes.ts'
import { until } from '../test/support/until.ts'
import { startNginx } from './nginx.ts'
import type { Pinned } from './pinned.ts'

/** What all contestants forward to: an nginx that answers 1.2 KB of JSON. */
export type Upstream = {
  readonly url: string
  readonly body: string
  readonly server: Pinned
  /** How many requests reached it so far; the asking is not among them. */
  requests(): Promise<number>
}

const bodyBytes = 1_200

export async function startUpstream(folder: string): Promise<Upstream> {
  const port = await freePort()
  const body = bodyOf(bodyBytes)
  const server = await startNginx({
    name: 'upstream',
    folder,
    core: 'other',
    http: `
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /upstream-status { stub_status; }
    location / { default_type application/json; return 200 '${body}'; }
  }`,
  })
  const url = `http://127.0.0.1:${port}`
  let polls = 0
  const requests = async (): Promise<number> => {
    const response = await fetch(`${url}/upstream-status`, { signal: AbortSignal.timeout(5_000) })
    polls += 1
    return parseStubStatus(await response.text()) - polls
  }
  await until(async () => {
    server.assertRuns()
    return requests().then(
      () => true,
      // Not up yet.
      () => false,
    )
  })
  return { url, body, server, requests }
}

/** Requests that the server has received, this one included. */
export function parseStubStatus(text: string): number {
  const [, requests] = /^ *\d+ +\d+ +(\d+) *$/m.exec(text) ?? []
  if (requests === undefined) throw new Error(`This is no stub_status: ${text}`)
  return Number(requests)
}

function bodyOf(bytes: number): string {
  const item = (index: number) => ({ id: `r-${index}`, name: `Item ${index}`, state: 'ready' })
  const whole = {
    kind: 'List',
    data: Array.from({ length: 20 }, (_, index) => item(index)),
    pad: '',
  }
  return JSON.stringify({ ...whole, pad: 'x'.repeat(bytes - JSON.stringify(whole).length) })
}
