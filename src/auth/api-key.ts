import type { CredentialKind } from './policy.ts'
import type { Principal } from './principal.ts'

/** What an API key opens: the control plane, everything of its owner, or one resource. */
export type KeyResource =
  | { readonly kind: 'cloud' }
  | { readonly kind: 'global' }
  | {
      readonly kind: 'resource'
      /** For example `kafka-cluster`. */
      readonly resourceKind: string
      readonly id: string
      /** Set where the id alone names no single resource, as with a region. */
      readonly environment: string | undefined
    }

/** One live secret of a key, as stored: never the secret itself. */
export type KeySecret = {
  /** HMAC-SHA-256 of the secret, 32 bytes. */
  readonly digest: Buffer
  /** Which pepper the digest was made with. */
  readonly pepperId: string
  /** Milliseconds since the epoch; undefined: never. */
  readonly expiresAtMs: number | undefined
}

/** An API key as authentication sees it. */
export type ApiKeyRecord = {
  readonly id: string
  /** At most two; more are not looked at. */
  readonly secrets: readonly KeySecret[]
  readonly resource: KeyResource
  readonly owner: Principal
  readonly state: 'active' | 'revoked'
  /** Milliseconds since the epoch; undefined: never. */
  readonly expiresAtMs: number | undefined
}

/**
 * Find the record of a key id, or undefined where there is none. It answers without a promise
 * where the record is at hand, so that a request whose key is cached never waits a turn.
 *
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE
 */
export type FindApiKey = (
  keyId: string,
) => ApiKeyRecord | undefined | Promise<ApiKeyRecord | undefined>

/**
 * Take as long as finding out that nobody has a key id, and find nothing: once with a look-up, then
 * for a moment without a promise. It never throws nor rejects.
 */
export type FindNoApiKey = (keyId: string) => undefined | Promise<undefined>

/** The resource that an operation acts on, told from its parameters or its host. */
export type OperationResource = {
  readonly kind: string
  readonly id: string
  readonly environment: string | undefined
}

/** Every kind of credential that is verified as an API key. */
export type ApiKeyKind = Extract<CredentialKind, `${string}-api-key`>

/** The kind of a key follows from what it opens. */
export function kindOfKey(resource: KeyResource): ApiKeyKind {
  return `${resource.kind}-api-key`
}

/** Say whether a key's resource is the one that an operation acts on. */
export function isSameResource(
  key: KeyResource,
  operation: OperationResource | undefined,
): boolean {
  return (
    key.kind === 'resource' &&
    operation !== undefined &&
    key.resourceKind === operation.kind &&
    key.id === operation.id &&
    key.environment === operation.environment
  )
}
