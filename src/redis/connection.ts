import { createClient, connectNodes, reconnectMs, type ClientOptions } from './client.ts'
import { withDeadline } from './deadline.ts'
import { hashSlot } from './hash-slot.ts'
import type { Script } from './script.ts'

/**
 * The way to Redis. Nothing here waits longer than its deadline, and nothing is sent twice, but for
 * a script that Redis did not know and therefore did not run.
 */
export type RedisConnection = {
  /** How long a call waits where it names no deadline of its own. */
  readonly commandTimeoutMs: number
  readonly isReady: () => boolean
  /** Which keys may be in one call: those of one slot. Undefined: any may. */
  readonly slotOf: ((key: string) => number) | undefined
  /**
   * Run a script, loading it where Redis does not know it.
   *
   * @param deadlineMs from now, for everything
   * @throws {Error} when Redis cannot be reached, does not answer in time, or answers with an error
   *   or with what the script never returns; only in the first case has it certainly not run
   */
  run<Reply>(
    script: Script<Reply>,
    keys: readonly string[],
    args: readonly string[],
    deadlineMs?: number,
  ): Promise<Reply>
  /** Hear about every later change: Redis is ready for calls, or the connection to it is lost. */
  onChange(listener: (change: ConnectionChange) => void): void
  close(): void
}

type ConnectionChange =
  { readonly kind: 'ready' } | { readonly kind: 'lost'; readonly cause: Error | undefined }

/**
 * Connect to Redis, and connect again whenever the connection is lost, until it is closed.
 *
 * Resolves when Redis is ready, and at the latest when the first attempt has failed or the connect
 * timeout has passed: that Redis is absent is a state, not an error.
 */
export async function connectRedis(options: ClientOptions): Promise<RedisConnection> {
  const client = createClient(options)
  let lastError: Error | undefined
  // Without a listener, the client writes every error to the console.
  client.on('error', (error: Error) => {
    lastError = error
  })
  let isClosed = false
  // The client ends for good where the sentinels tell of a failover while it asks one of them for the
  // primary: it takes its own cutting of the old connection for ours.
  client.on('end', () => {
    if (!isClosed) setTimeout(connectAgain, reconnectMs).unref()
  })
  function connectAgain(): void {
    // A failure is told by an event too.
    if (!isClosed) client.connect().catch(() => undefined)
  }
  await firstAttempt(client, options.connectTimeoutMs)

  return {
    commandTimeoutMs: options.commandTimeoutMs,
    isReady: () => client.status === 'ready',
    slotOf: 'cluster' in options ? hashSlot : undefined,
    async run(script, keys, args, deadlineMs = options.commandTimeoutMs) {
      return script.parse(await withDeadline(evaluate(client, script, keys, args), deadlineMs))
    },
    onChange(listener) {
      client.on('ready', () => {
        lastError = undefined
        listener({ kind: 'ready' })
      })
      client.on('close', () => {
        listener({ kind: 'lost', cause: lastError ?? new Error('The connection was closed') })
      })
    },
    close() {
      isClosed = true
      client.disconnect()
    },
  }
}

type Client = ReturnType<typeof createClient>

async function firstAttempt(client: Client, connectTimeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const settled = (): void => {
    resolve(undefined)
  }
  const timer = setTimeout(settled, connectTimeoutMs)
  client.once('ready', () => void connectNodes(client).then(settled))
  client.once('close', settled)
  await promise
  clearTimeout(timer)
  client.off('close', settled)
}

async function evaluate(
  client: Client,
  { source, sha1 }: Script<unknown>,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  try {
    return await client.evalsha(sha1, keys.length, ...keys, ...args)
  } catch (error) {
    // Redis forgets scripts when it restarts or is told to. It has run nothing, so this is no retry.
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
    return client.eval(source, keys.length, ...keys, ...args)
  }
}
