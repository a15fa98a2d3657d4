import { z } from 'zod'
import { basic } from '../../test/support/basic.ts'
import { openHouse, type House, type HouseOptions } from './house.ts'
import { startIdentityProvider, type IdentityProvider } from './identity-provider.ts'

export const actor = { id: 'prove' }

/** The scheme of each group, which is mounted under the name of its kind. */
const schemes = {
  external: { 'external-access-token': [] },
  sts: { 'confluent-sts-access-token': [] },
  partner: { oauth: ['partner:describe'] },
}

/** A house whose gateways trust an identity provider, and issue tokens of their own. */
export type TokenHouse = House & {
  readonly provider: IdentityProvider
  /** The pool that every token of the provider's first issuer belongs to. */
  readonly poolId: string
}

/**
 * A house with a group for each kind of token and `/standard` for cloud keys, all without limits.
 * Tokens are good at `/external/hello`, `/sts/hello` and `/partner/hello`.
 */
export async function openTokenHouse(
  options: Pick<HouseOptions, 'gateways' | 'directoryCache' | 'databaseThrough'> & {
    readonly algorithm?: 'ES256' | 'RS256'
    /** Members of `tokens` in the configuration. */
    readonly tokens?: Readonly<Record<string, unknown>>
  },
): Promise<TokenHouse> {
  const ends = new AsyncDisposableStack()
  try {
    const provider = ends.use(await startIdentityProvider(options.algorithm))
    const house = ends.use(
      await openHouse({
        ...options,
        classes: { standard: {} },
        groups: (upstreamUrl) =>
          Object.entries(schemes).map(([kind, scheme]) => ({
            name: `${kind} tokens`,
            mount: `/${kind}`,
            paths: { '/hello': { get: { security: [scheme] } } },
            upstreamUrl,
          })),
        services: ['sts', 'oauth'],
        // Who is refused is what some experiments count.
        limits: { unauthenticated: { requests: 10_000_000, windowSeconds: 3_600 } },
        configuration: {
          publicOrigin: 'https://api.test',
          tokens: {
            ...options.tokens,
            identityProviders: { allowAddresses: ['127.0.0.1'], allowHttp: true },
          },
        },
      }),
    )
    const { poolId } = await trust(house, provider, provider.issuer)
    const open = ends.move()
    return { ...house, provider, poolId, [Symbol.asyncDispose]: () => open.disposeAsync() }
  } finally {
    await ends.disposeAsync()
  }
}

/** Have the house's organization trust an issuer, and put all its tokens into a pool. */
export async function trust(
  { fleet }: Pick<House, 'fleet'>,
  { keySetUrl }: IdentityProvider,
  issuer: string,
): Promise<{ poolId: string }> {
  const { directory, organizationId } = fleet
  const trusted = { organizationId, displayName: issuer, issuer, jwksUri: keySetUrl }
  const { id: providerId } = await directory.identityProviders.create(trusted, actor)
  const pool = { providerId, displayName: 'all', identityClaim: 'claims.sub', filter: 'true' }
  return { poolId: (await directory.identityPools.create(pool, actor)).id }
}

/** Exchange a token of the identity provider for one of the gateway's own. */
export function exchange(url: string, subjectToken: string, poolId: string): Promise<string> {
  const fields = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subjectToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    identity_pool_id: poolId,
  }
  return requestToken(`${url}/sts/v1/oauth2/token`, fields, {})
}

/** A client of a new partner. @returns the Authorization value that it asks for tokens with */
export async function createClient({ fleet }: Pick<House, 'fleet'>): Promise<{
  id: string
  authorization: string
}> {
  const { partners, partnerClients } = fleet.directory
  const { id: partnerId } = await partners.create({ displayName: 'partner' }, actor)
  const { id, secret = '' } = await partnerClients.create(
    {
      partnerId,
      displayName: 'client',
      scopes: ['partner:describe'],
      authMethods: ['client_secret_basic'],
    },
    actor,
  )
  return { id, authorization: basic(id, secret) }
}

/** Ask for a partner's token. */
export function clientToken(url: string, authorization: string): Promise<string> {
  const fields = { grant_type: 'client_credentials' }
  return requestToken(`${url}/oauth2/token`, fields, { authorization })
}

const answerSchema = z.object({ access_token: z.string() })

async function requestToken(
  url: string,
  fields: Record<string, string>,
  headers: Record<string, string>,
): Promise<string> {
  const body = new URLSearchParams(fields)
  const response = await fetch(url, { method: 'POST', headers, body })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`There is no token in the ${response.status}`)
  return answerSchema.parse(JSON.parse(text)).access_token
}
