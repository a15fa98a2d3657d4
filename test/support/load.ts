import { Pool } from 'undici'

/** An answer, read to its end. */
export type LoadAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** A caller of several gateways, over connections that it keeps. */
export type Caller = {
  /** One request to the gateway whose turn it is. */
  call(path: string, options?: { readonly signal?: AbortSignal }): Promise<LoadAnswer>
  /** Many requests, as many at once as there are connections. */
  callTimes(count: number, path: string): Promise<readonly LoadAnswer[]>
  close(): Promise<void>
}

/** Call gateways on these ports in turn. */
export function createCaller(
  ports: readonly number[],
  authorization: string,
  connectionsPerGateway = 16,
): Caller {
  const pools = ports.map(
    (port) => new Pool(`http://127.0.0.1:${port}`, { connections: connectionsPerGateway }),
  )
  let calls = 0

  async function call(
    path: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<LoadAnswer> {
    const pool = pools[calls++ % pools.length]
    if (pool === undefined) throw new Error('There is no gateway to call')
    const options = { method: 'GET', path, headers: { authorization } } as const
    const { statusCode, headers, body } = await pool.request({ ...options, signal: signal ?? null })
    return { status: statusCode, headers, body: await body.text() }
  }

  return {
    call,
    callTimes: (count, path) => Promise.all(Array.from({ length: count }, () => call(path))),
    async close() {
      await Promise.all(pools.map((pool) => pool.destroy()))
    },
  }
}
