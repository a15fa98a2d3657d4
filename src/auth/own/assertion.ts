import type { Authentication } from '../authenticate.ts'
import type { IssueToken } from './issue-token.ts'

type Authenticated = Extract<Authentication, { kind: 'authenticated' }>

/**
 * What we vouch for towards an upstream: who calls, signed, for that upstream alone. The answer is
 * no promise where the same was said within the last minute, so signing is off the hot path.
 *
 * @param audience the `aud` that the upstream expects
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE, rejected, where there is no key to sign with
 */
export type AssertIdentity = (
  authentication: Authenticated,
  audience: string,
) => string | Promise<string>

type Parts = {
  readonly issueToken: IssueToken
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** An assertion lives so long, and is said anew after half of it. */
const lifetimeSeconds = 120

const maxRemembered = 20_000

/** Build what signs assertions, and remembers them. */
export function createAssertIdentity({ issueToken, now }: Parts): AssertIdentity {
  const remembered = new Map<string, { readonly token: string; readonly renewAtMs: number }>()

  return (authentication, audience) => {
    const { principal, credential } = authentication
    const pools = principal.kind === 'partner' ? undefined : principal.pools
    const client = principal.kind === 'partner' ? principal.clientId : undefined
    const who = [principal.id, credential.kind, client, pools?.ids, pools?.subject, audience]
    const name = JSON.stringify(who)
    const known = remembered.get(name)
    if (known !== undefined && known.renewAtMs > now()) return known.token
    return sign(authentication, audience).then((token) => {
      if (remembered.size >= maxRemembered) remembered.clear()
      remembered.set(name, { token, renewAtMs: now() + lifetimeSeconds * 500 })
      return token
    })
  }

  async function sign({ principal, credential }: Authenticated, audience: string): Promise<string> {
    const specific =
      principal.kind === 'partner'
        ? { client_id: principal.clientId }
        : {
            organization: principal.organizationId,
            ...(principal.pools === undefined
              ? {}
              : { pools: principal.pools.ids, subject: principal.pools.subject }),
          }
    const { token } = await issueToken({
      kind: 'assertion',
      subject: principal.id,
      audience,
      lifetimeSeconds,
      claims: { principal_kind: principal.kind, credential_kind: credential.kind, ...specific },
    })
    return token
  }
}
