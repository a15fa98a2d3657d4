import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** What a proxy does to what a server answers. */
export type Spoiling =
  | { readonly kind: 'none' }
  /** Answers come so much later. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** An answer breaks off, and its connection with it. */
  | { readonly kind: 'reset' }
  /** Something else is answered. */
  | { readonly kind: 'garbage' }
  /** Nothing is answered any more. */
  | { readonly kind: 'silent' }

/** A proxy on loopback that spoils answers as it is told. */
export type SpoilingProxy = AsyncDisposable & {
  readonly port: number
  spoil(spoiling: Spoiling): void
}

/** @param target port on loopback */
export async function startSpoilingProxy(target: number): Promise<SpoilingProxy> {
  let spoiling: Spoiling = { kind: 'none' }
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes: Buffer) => {
      answer(client, bytes)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  function answer(client: Socket, bytes: Buffer): void {
    switch (spoiling.kind) {
      case 'none':
        client.write(bytes)
        return
      case 'slow':
        setTimeout(() => client.write(bytes), spoiling.ms)
        return
      case 'reset':
        client.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => client.resetAndDestroy())
        return
      case 'garbage':
        client.write('+\0 not what was asked for\r\n')
        return
      case 'silent':
    }
  }

  return {
    // Listening on an address and port, so that is what it has.
    port: (server.address() as AddressInfo).port,
    spoil(to) {
      // What was swallowed never comes, so a connection that it was swallowed on is of no use.
      if (spoiling.kind === 'silent') for (const socket of sockets) socket.resetAndDestroy()
      spoiling = to
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
