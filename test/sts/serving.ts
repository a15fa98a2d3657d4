import { createPublicKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { expect } from 'vitest'
import { parse } from 'yaml'
import type { Authentication } from '../../src/auth/authenticate.ts'
import { createExternalTokenVerifier } from '../../src/auth/external-token.ts'
import type {
  FindProviders,
  IdentityPoolRecord,
  IdentityProviderRecord,
} from '../../src/auth/identity-provider.ts'
import { createKeySets } from '../../src/auth/keys/key-sets.ts'
import { createTokenIssuer } from '../../src/auth/own/issue-token.ts'
import type { OwnKeys } from '../../src/auth/own/signing-keys.ts'
import { createOwnTokenVerifier, type VerifyOwnToken } from '../../src/auth/own/verify-own-token.ts'
import { createStsService } from '../../src/sts/app.ts'
import { makeKey, nowMs } from '../auth/tokens/minting.ts'

/** Who issues the subject tokens, and who we are. */
export const subjectIssuer = 'https://idp.example.com'
export const ownIssuer = 'https://api.example.com'

/** Keys of the identity provider and our own. */
export const providerKey = makeKey('ES256', 'ec')
export const ownKey = makeKey('EdDSA', 'own')

/** What tests change while the service runs. */
export type World = {
  nowMs: number
  providers: IdentityProviderRecord[]
  /** Key sets by address. */
  documents: Record<string, unknown>
  ownKeys: OwnKeys | undefined
  findProviders: FindProviders
  authentication: Authentication
}

/** The path of each operation. */
export const exchangePath = '/sts/v1/oauth2/token'
export const dryRunPath = '/sts/v1/oauth2/token:dry-run'

/** The fields of an exchange that succeeds, but for the subject token. */
export const fields = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  identity_pool_id: 'pool-a',
}

export const requestId = '0b5c2f0e-0000-4000-8000-000000000001'

/** What a request may have as its body. */
export type Body = string | Uint8Array<ArrayBuffer> | ReadableStream

type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

/** An exchange with all its real parts: the network and the directory alone are in memory. */
export function startSts() {
  const world: World = {
    nowMs,
    providers: [provider()],
    documents: {
      [`${subjectIssuer}/jwks`]: { keys: [providerKey.jwk] },
      [`${ownIssuer}/jwks`]: { keys: [ownKey.jwk] },
    },
    ownKeys: ownKeys(),
    findProviders: (issuer) => world.providers.filter((each) => each.issuer === issuer),
    authentication: administratorOf('o-1'),
  }
  const now = (): number => world.nowMs
  const service = createStsService({
    verifyExternalToken: createExternalTokenVerifier({
      findProviders: (issuer) => world.findProviders(issuer),
      keySets: keySetsOf(world),
      now,
    }),
    issueToken: createTokenIssuer({ issuer: ownIssuer, ownKeys: () => world.ownKeys, now }),
    issuer: ownIssuer,
    now,
  })
  const call = async (request: Request): Promise<Response> => {
    const { authentication } = world
    const answer = await service(request, { authentication, requestId, address: '192.0.2.1' })
    await expectDescribed(new URL(request.url).pathname, answer)
    return answer
  }
  return { world, call, post, postForm, verifyOwn: ownVerifier(world) }

  async function post(path: string, body: Body, type: string | undefined): Promise<Answer> {
    const request = new Request(`${ownIssuer}${path}`, {
      method: 'POST',
      headers: type === undefined ? {} : { 'Content-Type': type },
      body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
    })
    const answer = await call(request)
    const json = (await answer.json()) as Record<string, unknown>
    return { status: answer.status, headers: answer.headers, body: json }
  }

  /** Fields that are undefined are left out. */
  function postForm(path: string, sent: Record<string, string | undefined>): Promise<Answer> {
    const present = Object.entries(sent).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    )
    const body = new URLSearchParams(present).toString()
    return post(path, body, 'application/x-www-form-urlencoded')
  }
}

export function pool(id: string, changes: Partial<IdentityPoolRecord> = {}): IdentityPoolRecord {
  return { id, state: 'enabled', identityClaim: 'claims.sub', filter: 'true', ...changes }
}

export function provider(changes: Partial<IdentityProviderRecord> = {}): IdentityProviderRecord {
  return {
    id: 'op-1',
    organizationId: 'o-1',
    issuer: subjectIssuer,
    jwksUri: `${subjectIssuer}/jwks`,
    algorithms: ['ES256'],
    state: 'enabled',
    identityClaim: undefined,
    pools: [pool('pool-a'), pool('pool-b')],
    ...changes,
  }
}

export function administratorOf(organizationId: string): Authentication {
  return {
    kind: 'authenticated',
    principal: { kind: 'user', id: 'u-1', organizationId },
    credential: { kind: 'cloud-api-key', id: 'KEY' },
  }
}

function ownKeys(): OwnKeys {
  const { kid, privateKey, jwk } = ownKey
  const publicJwk = jwk as Readonly<Record<string, string>>
  const publicKey = createPublicKey(privateKey)
  const current = { kid, algorithm: 'EdDSA', publicJwk, publicKey, privateKey } as const
  return { current, next: undefined, previous: [] }
}

function ownVerifier(world: World): VerifyOwnToken {
  return createOwnTokenVerifier({
    issuer: ownIssuer,
    ownKeys: () => world.ownKeys,
    findPool: (poolId) =>
      world.providers
        .flatMap((of) => of.pools.map((each) => ({ pool: each, provider: of })))
        .find((standing) => standing.pool.id === poolId),
    findPartnerClient: () => undefined,
    isTokenRevoked: () => false,
    partnerLifetimeSeconds: 3600,
    now: () => world.nowMs,
  })
}

function keySetsOf(world: World) {
  return createKeySets({
    fetchDocument: async (url) => {
      const body = await Promise.resolve(world.documents[url])
      if (body === undefined) throw new Error('away')
      return { body, maxAgeSeconds: undefined }
    },
    log: { keysDropped: () => undefined, fetchFailed: () => undefined },
    now: () => world.nowMs,
    random: () => 0,
  })
}

const documentText = await readFile(
  resolve(import.meta.dirname, '../../config/apis/sts.yaml'),
  'utf8',
)

type OperationObject = { readonly responses: Readonly<Record<string, unknown>> }

/** The published document, as it stands. */
export const document = parse(documentText) as {
  readonly paths: Readonly<Record<string, { readonly post: OperationObject }>>
  readonly components: {
    readonly schemas: {
      readonly DryRunReply: {
        readonly properties: { readonly reason: { readonly 'x-extensible-enum': string[] } }
      }
    }
  }
}

/** What holds of every answer: the document has its status, and nobody stores it. */
async function expectDescribed(path: string, answer: Response): Promise<void> {
  expect(Object.keys(document.paths[path]?.post.responses ?? {})).toContain(String(answer.status))
  expect(answer.headers.get('Cache-Control')).toBe('no-store')
  expect(answer.headers.get('Pragma')).toBe('no-cache')
  expect(answer.headers.get('WWW-Authenticate')).toBeNull()
  if (answer.status >= 400) expectProblem(answer.status, await answer.clone().json())
}

/** Both shapes in one body, of the characters that RFC 6749 §5.2 allows. */
function expectProblem(status: number, body: unknown): void {
  const { error, error_description } = body as { error: string; error_description: string }
  expect(error).toMatch(/^[a-z_]+$/)
  expect(error_description).toMatch(/^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/)
  const detail = { id: requestId, status: String(status), code: error, detail: error_description }
  expect(body).toEqual({ error, error_description, errors: [{ ...detail, source: {} }] })
}
