import { GatewayError } from '../errors/gateway-error.ts'
import type { IdentityProviderRecord } from './identity-provider.ts'
import { trustOf, type VerifyForProvider } from './provider-verifier.ts'
import type { UnverifiedToken } from './tokens/compact-jws.ts'
import { refused, type TokenRefusal } from './tokens/refusal.ts'
import type { VerifiedToken } from './tokens/verifier.ts'

/** A token, and the providers that vouch for it: at least one. */
export type Believed = {
  readonly kind: 'believed'
  readonly token: VerifiedToken
  readonly providers: readonly IdentityProviderRecord[]
}

/** In more ways than this, an issuer cannot be trusted by a token that names no pool. */
const maxTrusts = 8

/** How long those who have not answered are waited for once one vouches. */
const graceMs = 100

/**
 * Hold a token against each different trust among providers of its issuer. An organization that
 * wrote an address that hangs, or fails, does not hold up the tokens of the others: it counts only
 * where nobody vouches.
 *
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE, rejected, where nobody vouches and one cannot tell
 */
export function createBelief(
  verifyForProvider: VerifyForProvider,
): (
  token: UnverifiedToken,
  providers: readonly IdentityProviderRecord[],
) => Promise<Believed | TokenRefusal> {
  return async (token, providers) => {
    const trusts = [...Map.groupBy(providers, trustOf).values()]
    if (trusts.length > maxTrusts) return refused('too-many-providers')
    const answers: Answer[] = []
    const work = trusts.map(async (alike) => {
      const answer = await answerFor(token, alike)
      answers.push(answer)
      return answer
    })
    await settled(work)
    return combined(answers)
  }

  async function answerFor(
    token: UnverifiedToken,
    alike: readonly IdentityProviderRecord[],
  ): Promise<Answer> {
    const [provider] = alike
    if (provider === undefined) return refused('unknown-issuer')
    try {
      const answer = await verifyForProvider(token, provider)
      return answer.kind === 'refused'
        ? answer
        : { kind: 'believed', token: answer, providers: alike }
    } catch (error) {
      // Whatever else is thrown is a bug, and not for another provider to hide.
      if (!(error instanceof GatewayError)) throw error
      return { kind: 'failed', error }
    }
  }
}

type Answer = Believed | TokenRefusal | { readonly kind: 'failed'; readonly error: GatewayError }

/** Wait for all, but once one vouches, only a moment longer. */
async function settled(work: readonly Promise<Answer>[]): Promise<void> {
  const all = Promise.all(work)
  if (work.length === 1) {
    await all
    return
  }
  const one = new Promise<void>((resolve) => {
    for (const answer of work)
      void answer.then(
        ({ kind }) => {
          if (kind === 'believed') setTimeout(resolve, graceMs)
        },
        // `all` tells it.
        () => undefined,
      )
  })
  await Promise.race([all, one])
}

function combined(answers: readonly Answer[]): Believed | TokenRefusal {
  const believed = answers.filter((answer) => answer.kind === 'believed')
  const [one] = believed
  if (one !== undefined)
    return { ...one, providers: believed.flatMap(({ providers }) => providers) }
  const failed = answers.find((answer) => answer.kind === 'failed')
  if (failed !== undefined) throw failed.error
  return answers.find((answer) => answer.kind === 'refused') ?? refused('unknown-issuer')
}
