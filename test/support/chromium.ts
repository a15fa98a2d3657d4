import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { userInfo, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findProgram } from './processes.ts'

/** What Chromium says of itself by its DevTools protocol. */
export type BrowserEvent = { readonly method: string; readonly params: unknown }

/** A page of a headless browser. */
export type BrowserPage = {
  /** Every event so far, since the page was made. */
  readonly events: readonly BrowserEvent[]
  /** Go to an address, and wait until it has loaded. */
  readonly open: (url: string) => Promise<void>
  /** The value of an expression within the page. */
  readonly evaluate: (expression: string) => Promise<unknown>
  /** Show the page as a screen of this size would, in CSS pixels. */
  readonly resize: (width: number, height: number) => Promise<void>
  readonly close: () => Promise<void>
}

/** @throws {Error} that says what to install where there is no Chromium */
export async function openBrowserPage(): Promise<BrowserPage> {
  const program = process.env['GATEHOUSE_TEST_CHROMIUM'] ?? findProgram('chromium')
  if (program === undefined) {
    throw new Error(
      'Chromium is missing: install it (on Debian: apt-get install chromium) so that it is on PATH, or name it in GATEHOUSE_TEST_CHROMIUM',
    )
  }
  const profile = await mkdtemp(join(tmpdir(), 'gatehouse-chromium-'))
  const child = spawn(program, argumentsFor(profile), { stdio: ['ignore', 'ignore', 'pipe'] })
  const socket = await connect(await endpointOf(child))
  const answers = new Map<number, (answer: unknown) => void>()
  const events: BrowserEvent[] = []
  const waiting = new Set<() => void>()
  let count = 0
  const session: { sessionId?: string } = {}
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as BrowserEvent & { id?: number; result?: unknown }
    if (message.id !== undefined) {
      answers.get(message.id)?.(message.result ?? message)
      answers.delete(message.id)
      return
    }
    events.push(message)
    for (const look of waiting) look()
  })
  const call = (method: string, params: object = {}): Promise<unknown> => {
    count += 1
    const id = count
    return new Promise((resolve) => {
      answers.set(id, resolve)
      socket.send(JSON.stringify({ id, method, params, ...session }))
    })
  }
  // What the protocol answers is described by the browser's own version of it.
  const made = (await call('Target.createTarget', { url: 'about:blank' })) as { targetId: string }
  const attached = (await call('Target.attachToTarget', { ...made, flatten: true })) as {
    sessionId: string
  }
  session.sessionId = attached.sessionId
  for (const domain of ['Page', 'Network', 'Runtime', 'Log']) await call(`${domain}.enable`)
  return {
    events,
    async open(url) {
      const before = events.length
      const loaded = new Promise<void>((resolve) => {
        const look = (): void => {
          if (!events.slice(before).some(({ method }) => method === 'Page.loadEventFired')) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
      })
      await call('Page.navigate', { url })
      await loaded
    },
    async evaluate(expression) {
      const answer = await call('Runtime.evaluate', { expression, returnByValue: true })
      return (answer as { result?: { value?: unknown } }).result?.value
    },
    async resize(width, height) {
      const metrics = { width, height, deviceScaleFactor: 1, mobile: true }
      await call('Emulation.setDeviceMetricsOverride', metrics)
    },
    async close() {
      socket.close()
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.kill()
      await ended
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function argumentsFor(profile: string): readonly string[] {
  return [
    ...['--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`],
    ...['--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-extensions'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    // Chromium refuses to run its sandbox as root, which is what containers run as.
    ...(userInfo().uid === 0 ? ['--no-sandbox'] : []),
    'about:blank',
  ]
}

function endpointOf({ stderr }: ChildProcess): Promise<string> {
  if (stderr === null) throw new Error('Its output is not read')
  const lines = createInterface({ input: stderr })
  return new Promise((resolve, reject) => {
    const printed: string[] = []
    lines.on('line', (line) => {
      printed.push(line)
      const [, endpoint] = /DevTools listening on (ws:\S+)/.exec(line) ?? []
      if (endpoint !== undefined) resolve(endpoint)
    })
    lines.once('close', () => {
      reject(new Error(`Chromium ended: ${printed.join('\n')}`))
    })
  })
}

function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url)
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => {
      resolve(socket)
    })
    socket.addEventListener('error', () => {
      reject(new Error('Chromium does not answer'))
    })
  })
}
