import { randomUUID } from 'node:crypto'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { makeKey, mint } from '../../test/auth/tokens/minting.ts'

/** What a token of the provider says; it is good for ten minutes. */
export type Minted = {
  /** Default: the key that the provider publishes. It is signed by that one, whatever this says. */
  readonly kid?: string
  /** Milliseconds since the epoch. Default: the present. */
  readonly issuedAtMs?: number
  /** Default: the provider's first. */
  readonly issuer?: string
}

/** A customer's identity provider on loopback, whose key set can be counted and taken away. */
export type IdentityProvider = AsyncDisposable & {
  readonly issuer: string
  readonly keySetUrl: string
  /** When its key set was asked for, on the clock of `performance.now`. */
  readonly askedAtMs: readonly number[]
  /** Another issuer with the same keys. */
  anotherIssuer(): string
  /** A token like no other. */
  readonly token: (minted?: Minted) => string
  /** Take requests and answer none, or answer those to come. */
  hang(isHanging: boolean): void
  /** Stop listening, and break every connection. */
  goAway(): Promise<void>
}

/** @param algorithm of the only key */
export async function startIdentityProvider(
  algorithm: 'ES256' | 'RS256' = 'ES256',
): Promise<IdentityProvider> {
  const key = makeKey(algorithm, 'key-1')
  const askedAtMs: number[] = []
  let isHanging = false
  let issuers = 0
  const server = createServer((_incoming, outgoing) => {
    askedAtMs.push(performance.now())
    if (!isHanging) answerKeySet(outgoing, key.jwk)
  })
  const origin = await listen(server)
  const issuer = `${origin}/first`
  const goAway = (): Promise<void> => closed(server)

  return {
    issuer,
    keySetUrl: `${origin}/jwks`,
    askedAtMs,
    anotherIssuer: () => `${origin}/issuer-${++issuers}`,
    token: ({ kid = key.kid, issuedAtMs = Date.now(), issuer: iss = issuer } = {}) => {
      const iat = Math.floor(issuedAtMs / 1_000)
      const claims = { iss, iat, exp: iat + 600, jti: randomUUID() }
      return mint(key, { header: { kid }, claims })
    },
    hang: (hanging) => {
      isHanging = hanging
    },
    goAway,
    [Symbol.asyncDispose]: goAway,
  }
}

/** The shortest lifetime that gateways take for one, so that a refresh falls due soon. */
function answerKeySet(outgoing: ServerResponse, jwk: unknown): void {
  outgoing.setHeader('Content-Type', 'application/json')
  outgoing.setHeader('Cache-Control', 'max-age=300')
  outgoing.end(JSON.stringify({ keys: [jwk] }))
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    })
  })
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve()
    })
    server.closeAllConnections()
  })
}
