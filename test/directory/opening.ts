import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createAuthenticator } from '../../src/auth/authenticate.ts'
import { refused } from '../../src/auth/tokens/refusal.ts'
import {
  openDirectory,
  type Directory,
  type DirectoryOptions,
} from '../../src/directory/directory.ts'
import { GatewayError } from '../../src/errors/gateway-error.ts'

/** Peppers of a test. */
export const peppers = {
  current: { id: 'p1', secret: 'a pepper for the tests, long enough' },
  previous: [],
}

/** One line of the directory's log. */
export type Line = { readonly level: string; readonly record: object; readonly message: string }

/** Options that most tests share, and the log that they write. */
export function testOptions(): {
  lines: Line[]
  options: Omit<DirectoryOptions, 'url' | 'folder' | 'peppers'>
} {
  const lines: Line[] = []
  const write =
    (level: string) =>
    (record: object, message = ''): void => {
      lines.push({ level, record, message })
    }
  return {
    lines,
    options: {
      connections: 4,
      queryTimeoutMs: 1000,
      cache: { maxEntries: 1000, maxAgeMs: 60_000, staleMs: 600_000, negativeMs: 1000 },
      log: { info: write('info'), warn: write('warn'), error: write('error') },
    },
  }
}

/** Open a directory on a PostgreSQL server for the length of a test. */
export async function openOnServer(
  url: string,
  changes: Partial<DirectoryOptions> = {},
): Promise<Directory> {
  return closing(await openDirectory({ ...testOptions().options, ...changes, url, peppers }))
}

/** A key that was made by an earlier gateway, so that no notification of it is under way. */
export async function keyFromBefore(url: string): Promise<MadeKey> {
  const directory = await openDirectory({ ...testOptions().options, url, peppers })
  try {
    return await makeKey(directory)
  } finally {
    await directory.close()
  }
}

/** Open an embedded directory for the length of a test. */
export async function openInFolder(folder: string): Promise<Directory> {
  return closing(await openDirectory({ ...testOptions().options, folder, peppers }))
}

function closing(directory: Directory): Directory {
  onTestFinished(() => directory.close())
  return directory
}

/** A folder that is removed with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-directory-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Who makes the changes of a test. */
export const actor = { id: 'u-operator', requestId: 'request-1' }

/** An organization with one user. */
export async function makeUser(
  directory: Directory,
): Promise<{ organizationId: string; userId: string }> {
  const organization = await directory.organizations.create({ displayName: 'Example' }, actor)
  const user = { organizationId: organization.id, email: 'ada@example.com' }
  const { id } = await directory.principals.createUser(user, actor)
  return { organizationId: organization.id, userId: id }
}

/** A key, with the only copy of its secret, and whose it is. */
export type MadeKey = {
  readonly organizationId: string
  readonly userId: string
  readonly id: string
  readonly secret: string
}

/** A cloud key of a new user of a new organization. */
export async function makeKey(directory: Directory): Promise<MadeKey> {
  const owner = await makeUser(directory)
  const key = { ownerId: owner.userId, resource: { kind: 'cloud' } } as const
  return { ...owner, ...(await directory.apiKeys.create(key, actor)) }
}

/** An identity provider with a pool, of a new organization. */
export async function makePool(
  directory: Directory,
): Promise<{ organizationId: string; userId: string; providerId: string; poolId: string }> {
  const owner = await makeUser(directory)
  const provider = {
    organizationId: owner.organizationId,
    displayName: 'Issuer',
    description: 'Everybody.',
    issuer: 'https://issuer.example.com/',
    jwksUri: 'https://issuer.example.com/keys',
    algorithms: ['RS256', 'ES256'],
  }
  const { id: providerId } = await directory.identityProviders.create(provider, actor)
  const pool = { providerId, displayName: 'All', identityClaim: 'claims.sub', filter: 'true' }
  const { id: poolId } = await directory.identityPools.create(pool, actor)
  return { ...owner, providerId, poolId }
}

/** A client that has a secret, of a new partner. */
export async function makeClient(
  directory: Directory,
): Promise<{ partnerId: string; id: string; secret: string }> {
  const { id: partnerId } = await directory.partners.create({ displayName: 'Partner' }, actor)
  const client = {
    partnerId,
    displayName: 'Client',
    scopes: ['partner:create', 'partner:describe'],
    authMethods: ['client_secret_basic'],
  } as const
  const { id, secret = '' } = await directory.partnerClients.create(client, actor)
  return { partnerId, id, secret }
}

const cloudKey = [[{ kind: 'cloud-api-key', scheme: 'cloud-api-key', scopes: [] }]] as const

/** Present a key and its secret, as a request does. Resolves with `accepted` or the error code. */
export async function present(
  directory: Pick<Directory, 'findApiKey' | 'findNoApiKey' | 'digestSecret'>,
  { id, secret }: { readonly id: string; readonly secret: string },
): Promise<string> {
  const authenticate = createAuthenticator({
    findApiKey: directory.findApiKey,
    findNoApiKey: directory.findNoApiKey,
    digestSecret: directory.digestSecret,
    noteKeyUse: () => undefined,
    verifyBearer: () => refused('token-type'),
    now: Date.now,
    realm: 'test',
  })
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
  try {
    await authenticate(authorization, cloudKey, undefined)
    return 'accepted'
  } catch (error) {
    if (error instanceof GatewayError) return error.code
    throw error
  }
}
