import type { VerifyBearer } from './auth/bearer.ts'
import type { FetchDocument } from './auth/keys/document-fetch.ts'

/** How often credentials took more than a look-up, since the start. */
export type CredentialCounts = {
  /** Failed: what the token is held against could not be had. */
  readonly tokens: Readonly<Record<'accepted' | 'refused' | 'failed', number>>
  /** Metadata and key sets of identity providers. */
  readonly keySetDocuments: Readonly<Record<'fetched' | 'failed', number>>
}

/** Counts what passes through the functions that it wraps. */
export type CredentialCounter = {
  readonly read: () => CredentialCounts
  readonly countTokens: (verify: VerifyBearer) => VerifyBearer
  readonly countDocuments: (fetchDocument: FetchDocument) => FetchDocument
}

export function createCredentialCounter(): CredentialCounter {
  const tokens = { accepted: 0, refused: 0, failed: 0 }
  const keySetDocuments = { fetched: 0, failed: 0 }

  function counted<Answer extends { readonly kind: 'bearer' | 'refused' }>(answer: Answer): Answer {
    tokens[answer.kind === 'bearer' ? 'accepted' : 'refused'] += 1
    return answer
  }

  function failed(error: unknown): never {
    tokens.failed += 1
    throw error
  }

  return {
    read: () => ({ tokens: { ...tokens }, keySetDocuments: { ...keySetDocuments } }),
    countTokens: (verify) => (token, policy, poolHeader) => {
      try {
        const answer = verify(token, policy, poolHeader)
        // A token that is remembered is answered at once, and stays so.
        return answer instanceof Promise ? answer.then(counted, failed) : counted(answer)
      } catch (error) {
        return failed(error)
      }
    },
    countDocuments: (fetchDocument) => async (url, signal) => {
      try {
        const document = await fetchDocument(url, signal)
        keySetDocuments.fetched += 1
        return document
      } catch (error) {
        keySetDocuments.failed += 1
        throw error
      }
    },
  }
}
