import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** How notifications of changes come to grief. */
export type Cut =
  | 'none'
  /** Their connection is broken, and every new one as soon as it subscribes. */
  | 'refused'
  /** They are left out, and the connection that they would come on looks well. */
  | 'left-out'

/** Stands between gateways and PostgreSQL. */
export type NotificationCut = AsyncDisposable & {
  /** The URL of the database by way of this. */
  readonly url: string
  cut(how: Cut): void
}

type Link = { readonly client: Socket; isSubscribed: boolean }

export async function startNotificationCut(databaseUrl: string): Promise<NotificationCut> {
  const { hostname, port } = new URL(databaseUrl)
  const links = new Set<Link>()
  let how: Cut = 'none'
  const server = createServer((client) => {
    const database = connect(Number(port), hostname)
    const link: Link = { client, isSubscribed: false }
    links.add(link)
    const end = (): void => {
      links.delete(link)
      client.destroy()
      database.destroy()
    }
    for (const socket of [client, database]) socket.on('error', end).on('close', end)
    client.on('data', (chunk: Buffer) => {
      link.isSubscribed ||= chunk.includes('LISTEN ')
      if (link.isSubscribed && how === 'refused') end()
      else database.write(chunk)
    })
    const messages = splitMessages((message) => {
      if (how === 'left-out' && message[0] === notificationResponse) return
      client.write(message)
    })
    database.on('data', messages)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(databaseUrl)
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    cut: (next) => {
      how = next
      if (next !== 'refused') return
      for (const { client, isSubscribed } of links) if (isSubscribed) client.destroy()
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        for (const { client } of links) client.destroy()
      }),
  }
}

/** @see PostgreSQL, Message Formats: `A` */
const notificationResponse = 'A'.charCodeAt(0)

/** Tell the server's messages apart: a byte for the kind, and a length that counts itself. */
export function splitMessages(each: (message: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 5) {
      const end = 1 + rest.readUInt32BE(1)
      if (rest.length < end) return
      each(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
  }
}
