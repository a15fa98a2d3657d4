import { Pool, type Dispatcher } from 'undici'

/** What came of a request; undefined where the connection broke or the caller gave up. */
export type Status = number | undefined

/** Sends requests to gateways in turn, over connections that it keeps. */
export type Caller = AsyncDisposable & {
  /** Send one and read its answer to the end. Never rejects. */
  call(call: Call): Promise<Status>
  /** Send one to the gateway of a place in the list, and leave its answer to be read. */
  open(gateway: number, call: Call): Promise<Dispatcher.ResponseData>
}

export type Call = {
  /** Behind the gateway's URL. */
  readonly path?: string
  readonly authorization: string
  /** Fields beside Authorization, by their names in lower case. */
  readonly fields?: Readonly<Record<string, string>>
  readonly method?: Dispatcher.HttpMethod
  readonly body?: Dispatcher.RequestOptions['body']
  readonly signal?: AbortSignal
}

/**
 * @param urls one for each gateway; a path in it goes before that of every call
 * @param localAddress where it connects from, where that matters
 */
export function createCaller(
  urls: readonly string[],
  connectionsPerGateway: number,
  localAddress?: string,
): Caller {
  const gateways = urls.map((url) => {
    const { origin, pathname, search } = new URL(url)
    const pool = new Pool(origin, {
      connections: connectionsPerGateway,
      pipelining: 1,
      headersTimeout: 60_000,
      ...(localAddress === undefined ? {} : { localAddress }),
    })
    return { pool, prefix: pathname.replace(/\/$/, ''), search }
  })
  let turn = 0

  function open(place: number, call: Call): Promise<Dispatcher.ResponseData> {
    const gateway = gateways[place % gateways.length]
    if (gateway === undefined) throw new Error('There is no gateway to call')
    const { path = '', authorization, fields = {}, method = 'GET', body = null, signal } = call
    return gateway.pool.request({
      method,
      // undici refuses an empty path, and never uses that connection again.
      path: `${gateway.prefix}${path}${gateway.search}` || '/',
      headers: { authorization, ...fields },
      body,
      signal: signal ?? null,
    })
  }

  return {
    open,
    async call(call) {
      turn += 1
      try {
        const { statusCode, body } = await open(turn, call)
        await body.dump({ limit: Number.MAX_SAFE_INTEGER })
        return statusCode
      } catch {
        // Whoever counts tells apart a caller that gave up from a gateway that broke off.
        return undefined
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(gateways.map(({ pool }) => pool.destroy()))
    },
  }
}

/** Where the gateways of a fleet answer. */
export function urlsOf(gateways: readonly { readonly port: number }[]): readonly string[] {
  return gateways.map(({ port }) => `http://127.0.0.1:${port}`)
}
