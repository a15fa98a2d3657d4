import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { createTokenIssuer, type IssueToken } from '../../src/auth/own/issue-token.ts'
import { createOwnTokenVerifier } from '../../src/auth/own/verify-own-token.ts'
import type { Directory } from '../../src/directory/directory.ts'
import type { Service } from '../../src/gateway/service.ts'
import { createOAuthService, type OAuthParts } from '../../src/oauth/app.ts'
import { actor, openOnServer } from '../directory/opening.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

/** Partner OAuth on loopback, with a directory of its own. */
export type Serving = {
  readonly issuer: string
  readonly directory: Directory
  readonly service: Service
  readonly issueToken: IssueToken
  readonly verifyOwnToken: OAuthParts['verifyOwnToken']
  /** How far the service's clock is ahead of the true one. */
  readonly clock: { aheadMs: number }
}

/** An upstream of ours; its secret is another one when it is decoded as a form. */
export const introspector = { id: 'orders', secret: 'a secret: 100%25+more' }

/** How long partners' tokens live in tests. */
export const lifetimeSeconds = 1800

/**
 * Start a PostgreSQL for the tests of a file.
 *
 * @returns what serves partner OAuth for the length of a test; `change` may put in other parts
 */
export function useOAuth(): (
  change?: (parts: OAuthParts) => Partial<OAuthParts>,
  options?: { readonly withoutKeys: boolean },
) => Promise<Serving> {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  }, 60_000)
  afterAll(() => postgres.stop())
  return async (change = () => ({}), options = { withoutKeys: false }) => {
    const directory = await openOnServer(await postgres.createDatabase())
    if (!options.withoutKeys) await directory.keyRotation.ensure('EdDSA', actor)
    return serveOAuth(directory, change)
  }
}

async function serveOAuth(
  directory: Directory,
  change: (parts: OAuthParts) => Partial<OAuthParts>,
): Promise<Serving> {
  const { issuer, answerWith } = await listen()
  const clock = { aheadMs: 0 }
  const parts = partsOf(directory, issuer, () => Date.now() + clock.aheadMs)
  const service = createOAuthService({ ...parts, ...change(parts) })
  answerWith(service)
  const { issueToken, verifyOwnToken } = parts
  return { issuer, directory, service, issueToken, verifyOwnToken, clock }
}

function partsOf(directory: Directory, issuer: string, now: () => number): OAuthParts {
  const own = { issuer, ownKeys: directory.signingKeys, now }
  return {
    ...own,
    issueToken: createTokenIssuer(own),
    verifyOwnToken: createOwnTokenVerifier({
      ...own,
      ...directory,
      partnerLifetimeSeconds: lifetimeSeconds,
    }),
    findPartnerClient: directory.findPartnerClient,
    digestSecret: directory.digestSecret,
    useAssertion: directory.useAssertion,
    revokeToken: directory.revokeToken,
    introspectors: [{ id: 'billing', secret: 'another secret' }, introspector],
    partnerLifetimeSeconds: lifetimeSeconds,
  }
}

/** Who calls, as far as the gateway can tell at an operation without credentials. */
export const caller = {
  authentication: { kind: 'anonymous' },
  requestId: 'request-2',
  address: '127.0.0.1',
} as const

async function listen(): Promise<{ issuer: string; answerWith: (service: Service) => void }> {
  let service: Service = () => new Response(null, { status: 500 })
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const fetch = (request: Request): Response | Promise<Response> => service(request, caller)
    const listening = serve({ fetch, port: 0, hostname: '127.0.0.1' }, () => {
      resolve(listening)
    })
  })
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  )
  return {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answerWith: (made) => {
      service = made
    },
  }
}

type ClientOptions = Partial<Parameters<Directory['partnerClients']['create']>[0]>

/** A client of a new partner; by default with a secret that it may present in both ways. */
export async function makeClient(
  { directory }: Pick<Serving, 'directory'>,
  options: ClientOptions = {},
): Promise<{ partnerId: string; id: string; secret: string }> {
  const { id: partnerId } = await directory.partners.create({ displayName: 'Partner' }, actor)
  const client = {
    partnerId,
    displayName: 'Client',
    scopes: ['partner:create', 'partner:describe'],
    authMethods: ['client_secret_basic', 'client_secret_post'],
    ...options,
  } as const
  const { id, secret = '' } = await directory.partnerClients.create(client, actor)
  return { partnerId: client.partnerId, id, secret }
}

/** An answer, read whole. */
export type Answered = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
}

type Options = { readonly authorization?: string; readonly contentType?: string }

/** Post a form: members, or a body as it is. */
export async function post(
  url: string,
  form: Readonly<Record<string, string>> | string | Uint8Array<ArrayBuffer>,
  { authorization, contentType = 'application/x-www-form-urlencoded' }: Options = {},
): Promise<Answered> {
  const body =
    typeof form === 'string' || form instanceof Uint8Array
      ? form
      : new URLSearchParams(form).toString()
  const headers = {
    'Content-Type': contentType,
    ...(authorization === undefined ? {} : { Authorization: authorization }),
  }
  return answered(await fetch(url, { method: 'POST', headers, body }))
}

/** Read an answer whole. */
export async function answered(response: Response): Promise<Answered> {
  const text = await response.text()
  const body = (text.startsWith('{') ? JSON.parse(text) : {}) as Answered['body']
  return { status: response.status, headers: response.headers, text, body }
}
