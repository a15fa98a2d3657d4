import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { GatewayError } from '../../errors/gateway-error.ts'
import { ownTokenTypes, type OwnTokenKind } from './own-token.ts'
import type { ReadOwnKeys } from './signing-keys.ts'

/** What one of our tokens is to say. */
export type TokenContent = {
  readonly kind: OwnTokenKind
  readonly subject: string
  readonly audience: string
  readonly lifetimeSeconds: number
  /** Claims beside the registered ones. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** A token, signed. */
export type IssuedToken = {
  readonly token: string
  /** Its `jti`, by which it can be revoked. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number
}

/**
 * Issue a token of ours with the key that is current.
 *
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE where there is no key to sign with
 */
export type IssueToken = (content: TokenContent) => Promise<IssuedToken>

type Parts = {
  /** The `iss` of everything that we sign. */
  readonly issuer: string
  readonly ownKeys: ReadOwnKeys
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Build the issuer of our tokens. */
export function createTokenIssuer({ issuer, ownKeys, now }: Parts): IssueToken {
  return async ({ kind, subject, audience, lifetimeSeconds, claims }) => {
    const key = ownKeys()?.current
    if (key?.privateKey === undefined)
      throw new GatewayError('DIRECTORY_UNAVAILABLE', { cause: new Error('no signing key') })
    const issuedAt = Math.floor(now() / 1000)
    const expiresAt = issuedAt + lifetimeSeconds
    const id = randomUUID()
    const token = await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: ownTokenTypes[kind] })
      .setIssuer(issuer)
      .setSubject(subject)
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .setJti(id)
      .sign(key.privateKey)
    return { token, id, expiresAtMs: expiresAt * 1000 }
  }
}
