import { connect, type Socket } from 'node:net'

/** A response as it stood on the wire. */
export type RawResponse = {
  readonly status: number
  /** Names as sent, in order. */
  readonly fields: readonly (readonly [string, string])[]
  readonly body: string
  /** The value of a field, whatever its case; undefined where absent. */
  field(name: string): string | undefined
  json(): unknown
}

/** A connection that sends bytes as they are and reads responses one by one. */
export type RawClient = {
  readonly socket: Socket
  send(bytes: string | Buffer): void
  /** The next response; rejects when the connection ends before it is whole, or after 10 s. */
  response(options?: { readonly head?: boolean }): Promise<RawResponse>
  /** Whatever arrived and was not taken as a response, once the connection has ended. */
  ended(): Promise<string>
  close(): void
}

const deadlineMs = 10_000

export async function rawClient(port: number, host = '127.0.0.1'): Promise<RawClient> {
  const socket = connect(port, host)
  let received = Buffer.alloc(0)
  let isEnded = false
  let wake: () => void = () => undefined
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    isEnded = true
    wake()
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })

  async function until<Value>(look: () => Value | undefined): Promise<Value> {
    const deadline = Date.now() + deadlineMs
    for (;;) {
      const value = look()
      if (value !== undefined) return value
      const left = deadline - Date.now()
      if (left <= 0)
        throw new Error(`Nothing within ${deadlineMs} ms; so far: ${received.toString()}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  return {
    socket,
    send: (bytes) => {
      socket.write(bytes)
    },
    response: ({ head = false } = {}) =>
      until(() => {
        const parsed = parseResponse(received, isEnded, head)
        if (parsed === undefined) {
          if (isEnded) throw new Error(`The connection ended on: ${received.toString()}`)
          return undefined
        }
        received = received.subarray(parsed.length)
        return parsed.response
      }),
    ended: () => until(() => (isEnded ? received.toString('latin1') : undefined)),
    close: () => {
      socket.destroy()
    },
  }
}

/** Send bytes on a connection of their own, half-close nothing, and read one response. */
export async function rawExchange(port: number, bytes: string | Buffer): Promise<RawResponse> {
  const client = await rawClient(port)
  try {
    client.send(bytes)
    return await client.response()
  } finally {
    client.close()
  }
}

type Parsed = { readonly response: RawResponse; readonly length: number }

function parseResponse(bytes: Buffer, isEnded: boolean, isHead: boolean): Parsed | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  const fields = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
  })
  const field = (name: string): string | undefined =>
    fields.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1]
  const start = headEnd + 4
  const body =
    isHead || status === 204 || status === 304 || status < 200
      ? { text: '', end: start }
      : bodyOf(bytes, start, field, isEnded)
  if (body === undefined) return undefined
  const response = {
    status,
    fields,
    body: body.text,
    field,
    json: () => JSON.parse(body.text) as unknown,
  }
  return { response, length: body.end }
}

function bodyOf(
  bytes: Buffer,
  start: number,
  field: (name: string) => string | undefined,
  isEnded: boolean,
): { readonly text: string; readonly end: number } | undefined {
  if (field('transfer-encoding') === 'chunked') return chunkedBody(bytes, start)
  const length = field('content-length')
  if (length === undefined) {
    return isEnded ? { text: bytes.toString('utf8', start), end: bytes.length } : undefined
  }
  const end = start + Number(length)
  return bytes.length < end ? undefined : { text: bytes.toString('utf8', start, end), end }
}

function chunkedBody(bytes: Buffer, start: number) {
  let at = start
  const chunks: Buffer[] = []
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    if (size === 0) {
      const end = bytes.indexOf('\r\n\r\n', lineEnd - 2 < at ? at : lineEnd)
      if (end === -1) return undefined
      return { text: Buffer.concat(chunks).toString(), end: end + 4 }
    }
    const chunkStart = lineEnd + 2
    if (bytes.length < chunkStart + size + 2) return undefined
    chunks.push(bytes.subarray(chunkStart, chunkStart + size))
    at = chunkStart + size + 2
  }
}
