import type { DroppedKey } from './vetted-keys.ts'

/** Where key sets say what is wrong with an issuer; the operator's alarm hangs on it. */
export type KeySetLog = {
  /** Keys that are not used, at every fetch that brought them. */
  readonly keysDropped: (issuer: string, dropped: readonly DroppedKey[]) => void
  /** A fetch that failed; keys at hand are used on. */
  readonly fetchFailed: (issuer: string, error: unknown) => void
}
