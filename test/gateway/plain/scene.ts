import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Incoming, Outgoing } from '../../../src/gateway/message.ts'
import { servePlain } from '../../../src/gateway/plain/plain-connections.ts'
import type { ServerLimits } from '../../../src/gateway/server-limits.ts'
import { serverLimits } from './limits.ts'

/** A server of Node's whose plain requests are read here. */
export type PlainScene = {
  readonly port: number
  /** Who read each request, in order, and what was asked for. */
  readonly read: readonly (readonly ['plain' | 'node', string | undefined])[]
  readonly unreadable: readonly string[]
  behave(next: (incoming: Incoming, outgoing: Outgoing) => void): void
  readonly closeResting: () => void
  close(): void
}

export async function openPlainScene(limits: Partial<ServerLimits> = {}): Promise<PlainScene> {
  const read: ['plain' | 'node', string | undefined][] = []
  const unreadable: string[] = []
  let behave = answer
  const server = createServer((incoming, outgoing) => {
    read.push(['node', incoming.url])
    behave(incoming, outgoing)
  })
  const plain = servePlain(server, 'connection', {
    limits: { ...serverLimits, ...limits },
    onRequest(state, incoming, outgoing) {
      state.requests += 1
      state.isKnown = true
      read.push(['plain', incoming.url])
      behave(incoming, outgoing)
    },
    onOther: () => undefined,
    onUnreadable(socket, code) {
      unreadable.push(code)
      socket.end()
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    read,
    unreadable,
    behave(next) {
      behave = next
    },
    closeResting: plain.closeResting,
    close() {
      server.close()
      server.closeAllConnections()
      plain.destroy()
    },
  }
}

/** Say again what was asked for, and the body. */
function answer(incoming: Incoming, outgoing: Outgoing): void {
  const pieces: Buffer[] = []
  const end = (): void => {
    const text = `${incoming.url ?? ''} ${Buffer.concat(pieces).toString()}`
    outgoing.writeHead(200, ['Content-Length', String(text.length)])
    outgoing.end(text, 'latin1')
  }
  if (incoming.closed) end()
  else {
    incoming.on('data', (piece) => {
      pieces.push(piece)
    })
    incoming.once('end', end).resume()
  }
}
