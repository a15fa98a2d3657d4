import { basic } from '../../test/support/basic.ts'
import { rawExchange } from '../../test/support/raw-client.ts'
import type { Call, Caller } from './caller.ts'
import type { User } from './house.ts'

/** Requests of all kinds that a gateway meets in a day, and what came of them. */
export type MixedTraffic = {
  /** Send the next one, and wait for its end. Never rejects. */
  next(): Promise<void>
  readonly sent: {
    /** Those that were to succeed, and did. */
    good: number
    /** Those that were to succeed, and did not. */
    failed: number
    /** Those that were to be refused, and were. */
    refused: number
    /** Those that were to be refused, and were not, or were not answered. */
    wrong: number
  }
}

type Kind = {
  /** Undefined: good. */
  readonly refusedAs: readonly number[] | undefined
  readonly send: (user: User) => Promise<number | undefined>
}

/** @param port of the gateway, for what no client library would send */
export function mixedTraffic(caller: Caller, port: number, users: readonly User[]): MixedTraffic {
  const call = (options: Omit<Call, 'authorization'>, by?: string) => (user: User) =>
    caller.call({ ...options, authorization: by ?? user.authorization })
  const post = { path: '/wide/upload', method: 'POST' } as const
  const good = (send: Kind['send']): Kind => ({ refusedAs: undefined, send })
  const bad = (refusedAs: readonly number[], send: Kind['send']): Kind => ({ refusedAs, send })
  // Where too many of an address were refused already, it is told so.
  const unknown = [401, 429]
  const kinds: readonly Kind[] = [
    good(call({ path: '/wide/hello' })),
    good(call({ path: '/wide/echo', method: 'POST', body: 'hello' })),
    good(call({ ...post, body: 'a'.repeat(500) })),
    good(call({ path: '/wide/hold/20' })),
    good(call({ path: '/wide/download/100000' })),
    good(call({ ...post, body: 'a'.repeat(50_000) })),
    good((user) => abandoned(caller, user)),
    bad(unknown, call({ path: '/wide/hello' }, basic('forged', 'forged'))),
    bad(unknown, call({ path: '/wide/hello' }, 'Bearer a.b.c')),
    bad([404], call({ path: '/wide/nothing' })),
    bad([405], call({ path: '/wide/hello', method: 'DELETE' })),
    bad([200, 429], call({ path: '/tight/hello' })),
    bad([400], () => raw(port, 'Content-Length: 5\r\nTransfer-Encoding: chunked')),
    bad([400], () => raw(port, 'X Y: b')),
    bad([431], () => raw(port, `X: ${'y'.repeat(20_000)}`)),
  ]
  const sent = { good: 0, failed: 0, refused: 0, wrong: 0 }
  let turn = 0
  return {
    sent,
    async next() {
      const kind = kinds[turn % kinds.length]
      const user = users[Math.floor(turn / kinds.length) % users.length]
      turn += 1
      if (kind === undefined || user === undefined) throw new Error('There is nobody to send')
      const status = await kind.send(user).catch(() => undefined)
      if (kind.refusedAs === undefined) sent[status === 200 ? 'good' : 'failed'] += 1
      else sent[kind.refusedAs.includes(status ?? 0) ? 'refused' : 'wrong'] += 1
    },
  }
}

/** Take the head of an answer, and go away. */
async function abandoned(caller: Caller, { authorization }: User): Promise<number> {
  const { statusCode, body } = await caller.open(0, {
    path: '/wide/download/10000000',
    authorization,
  })
  body.on('error', () => undefined).destroy()
  return statusCode
}

async function raw(port: number, fields: string): Promise<number> {
  const head = `POST /wide/upload HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n`
  return (await rawExchange(port, `${head}0\r\n\r\n`)).status
}
