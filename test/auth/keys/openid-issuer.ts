import { generateKeyPairSync } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type JWK } from 'oidc-provider'

/** A real OpenID provider on loopback, that can be made to fail. */
export type OpenIdIssuer = {
  readonly issuer: string
  /** Fetch an access token as a client of the provider does. */
  readonly issueToken: () => Promise<string>
  /** Sign with a new key from now on; the old ones are still published, unless `forget`. */
  readonly rotate: (options?: { forget: boolean }) => void
  behave: 'well' | 'hang' | 'reset' | 'error'
  /** How often its key set was asked for. */
  readonly keySetRequests: () => number
  readonly stop: () => Promise<void>
}

const client = { client_id: 'robot', client_secret: 'robot-secret' }

/** Start a provider that issues JWT access tokens of three hours for the audience `orders`. */
export async function startOpenIdIssuer(): Promise<OpenIdIssuer> {
  let keys = [makeKey(1)]
  let serve: RequestListener = () => undefined
  let keySetRequests = 0
  const server = createServer((request, response) => {
    if (request.url === '/jwks') keySetRequests++
    if (request.url === '/token' || state.behave === 'well') serve(request, response)
    else if (state.behave === 'reset') request.socket.destroy()
    else if (state.behave === 'error') response.writeHead(500).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const state: OpenIdIssuer = {
    issuer,
    issueToken: () => fetchToken(issuer),
    rotate: ({ forget } = { forget: false }) => {
      keys = [makeKey(keys.length + 1), ...(forget ? [] : keys)]
      serve = makeProvider(issuer, keys)
    },
    behave: 'well',
    keySetRequests: () => keySetRequests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
  serve = makeProvider(issuer, keys)
  return state
}

function makeKey(number: number): JWK {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kid = `key-${number}-${Math.random().toString(36).slice(2)}`
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }
}

function makeProvider(issuer: string, keys: readonly JWK[]): RequestListener {
  const provider = new Provider(issuer, {
    jwks: { keys: [...keys] },
    clients: [
      {
        ...client,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'https://orders.example',
        getResourceServerInfo: () => ({
          scope: '',
          audience: 'orders',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3 * 3600,
        }),
      },
    },
  })
  return (request, response) => void provider.callback()(request, response)
}

async function fetchToken(issuer: string): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ ...client, grant_type: 'client_credentials' }),
  })
  const body = (await response.json()) as { access_token?: string }
  if (body.access_token === undefined) throw new Error(`no token: ${JSON.stringify(body)}`)
  return body.access_token
}
