import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { changeChannel, type ChangeListener } from './database.ts'

/** A subscription that mends itself. */
export type ChangeFeed = { readonly close: () => Promise<void> }

/**
 * How often the connection is asked for a sign of life. A connection on which nothing arrives any
 * more, frozen or cut off, is noticed after this and one query deadline.
 */
const heartbeatMs = 500

/** Pauses between attempts to connect again double from the first to the second value. */
const backoffMs = { first: 50, last: 1000 }

/**
 * Follow the notifications of changes on a connection of their own; where it is lost, connect
 * again until it succeeds.
 *
 * @param createClient makes an unconnected client whose connecting and queries have deadlines
 * @throws {Error} where the first subscription fails
 */
export async function followChanges(
  createClient: () => pg.Client,
  listener: ChangeListener,
): Promise<ChangeFeed> {
  const stop = new AbortController()
  const first = await subscribe(createClient(), listener)
  const following = follow(first)
  return {
    close: async () => {
      stop.abort()
      await following
    },
  }

  async function follow(subscription: Subscription): Promise<void> {
    let current: Subscription | undefined = subscription
    while (current !== undefined) {
      const cause = await untilLost(current, stop.signal)
      current.client.connection.stream.destroy()
      if (stop.signal.aborted) return
      listener.lost(cause)
      current = await subscribeAgain()
      if (current !== undefined) listener.restored()
    }
  }

  async function subscribeAgain(): Promise<Subscription | undefined> {
    for (let pauseMs = backoffMs.first; ; pauseMs = Math.min(2 * pauseMs, backoffMs.last)) {
      // Half of it is random, so that the replicas do not all come back in the same instant.
      const jitteredMs = (pauseMs * (1 + Math.random())) / 2
      await delay(jitteredMs, undefined, { signal: stop.signal }).catch(() => undefined)
      if (stop.signal.aborted) return undefined
      try {
        return await subscribe(createClient(), listener)
      } catch {
        // Not back yet. That it is away was told by `lost`, and look-ups say so too.
      }
    }
  }
}

type Subscription = {
  readonly client: pg.Client
  /** Aborted when the connection ends, with what ended it as the reason. */
  readonly ended: AbortSignal
}

async function subscribe(client: pg.Client, listener: ChangeListener): Promise<Subscription> {
  const end = new AbortController()
  client.on('error', (error) => {
    end.abort(error)
  })
  client.on('end', () => {
    end.abort(new Error('the connection was closed'))
  })
  client.on('notification', ({ payload }) => {
    listener.changed(payload ?? '')
  })
  try {
    await client.connect()
    await client.query(`LISTEN ${changeChannel}`)
    return { client, ended: end.signal }
  } catch (error) {
    client.connection.stream.destroy()
    throw error
  }
}

/** Resolves with the reason once the connection gives no sign of life, or when told to stop. */
async function untilLost({ client, ended }: Subscription, stop: AbortSignal): Promise<unknown> {
  const signal = AbortSignal.any([ended, stop])
  try {
    for (;;) {
      await delay(heartbeatMs, undefined, { signal })
      await client.query('SELECT 1')
    }
  } catch (error) {
    return ended.aborted ? ended.reason : error
  }
}
