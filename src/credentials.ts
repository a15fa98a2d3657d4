import { createVerifyBearer, type VerifyBearer } from './auth/bearer.ts'
import { createExternalTokenVerifier } from './auth/external-token.ts'
import { createAddressPolicy } from './auth/keys/address-policy.ts'
import { createDocumentFetcher } from './auth/keys/document-fetch.ts'
import { createKeySets } from './auth/keys/key-sets.ts'
import { createAssertIdentity, type AssertIdentity } from './auth/own/assertion.ts'
import { createTokenIssuer } from './auth/own/issue-token.ts'
import { createOwnTokenVerifier } from './auth/own/verify-own-token.ts'
import type { Configuration } from './config/schema.ts'
import { createCredentialCounter, type CredentialCounts } from './credential-counts.ts'
import type { Directory } from './directory/directory.ts'
import type { Services } from './groups.ts'
import { createOAuthService } from './oauth/app.ts'
import { createSigning, type SigningKeyAdministration } from './signing.ts'
import { createStsService } from './sts/app.ts'
import type { Log } from './telemetry/log.ts'

/** How bearer tokens are verified, and the services that issue ours. */
export type Credentials = {
  readonly verifyBearer: VerifyBearer
  readonly assertIdentity: AssertIdentity
  readonly services: Pick<Services, 'sts' | 'oauth'>
  readonly signingKeys: SigningKeyAdministration
  readonly counts: () => CredentialCounts
  close(): Promise<void>
}

/** Put together what verifies and what issues tokens; makes signing keys where there are none. */
export async function createCredentials(
  tokens: Configuration['tokens'],
  publicOrigin: string,
  directory: Directory,
  log: Pick<Log, 'info' | 'warn' | 'error'>,
): Promise<Credentials> {
  const { issuer = publicOrigin, partnerLifetimeSeconds, identityProviders } = tokens
  const signing = await createSigning(tokens, directory, log)
  const { ownKeys } = signing
  const now = Date.now
  const { allowAddresses, allowHttp } = identityProviders
  const policy = createAddressPolicy({ allow: allowAddresses, allowHttp })
  const fetcher = createDocumentFetcher({ policy })
  const counter = createCredentialCounter()
  const keySets = createKeySets({
    fetchDocument: counter.countDocuments(fetcher.fetchDocument),
    now,
    random: Math.random,
    log: {
      keysDropped: (from, dropped) => {
        log.warn({ issuer: from, dropped }, 'keys of an identity provider are not used')
      },
      fetchFailed: (from, err) => {
        log.warn({ issuer: from, err }, 'keys of an identity provider cannot be fetched')
      },
    },
  })
  const verifyExternalToken = createExternalTokenVerifier({
    // Whoever writes our issuer into a provider of theirs makes our tokens no external ones.
    findProviders: (of) => (of === issuer ? [] : directory.findProviders(of)),
    keySets,
    now,
  })
  const verifyOwnToken = createOwnTokenVerifier({
    issuer,
    ownKeys,
    findPool: directory.findPool,
    findPartnerClient: directory.findPartnerClient,
    isTokenRevoked: directory.isTokenRevoked,
    partnerLifetimeSeconds,
    now,
  })
  const issueToken = createTokenIssuer({ issuer, ownKeys, now })
  return {
    verifyBearer: counter.countTokens(
      createVerifyBearer({ issuer, verifyOwnToken, verifyExternalToken }),
    ),
    assertIdentity: createAssertIdentity({ issueToken, now }),
    services: {
      sts: createStsService({ verifyExternalToken, issueToken, issuer, now }),
      oauth: createOAuthService({
        issuer,
        issueToken,
        verifyOwnToken,
        ownKeys,
        findPartnerClient: directory.findPartnerClient,
        digestSecret: directory.digestSecret,
        useAssertion: directory.useAssertion,
        revokeToken: directory.revokeToken,
        introspectors: tokens.introspectors,
        partnerLifetimeSeconds,
        now,
      }),
    },
    signingKeys: signing.signingKeys,
    counts: counter.read,
    async close() {
      await signing.close()
      await fetcher.close()
    },
  }
}
