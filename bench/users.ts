import { openDirectory, type Directory } from '../src/directory/directory.ts'

/** A user with an API key. */
export type BenchUser = {
  readonly userId: string
  readonly organizationId: string
  readonly keyId: string
  readonly secret: string
  /** `id:secret` in base64, as RFC 7617 has it. */
  readonly basic: string
}

const organizationCount = 16
const usersPerOrganization = 16
const actor = { id: 'bench' }

/** What the digests of the secrets are made with. */
export const pepper = { id: 'bench', secret: 'a pepper for the bench, which is no secret' }

/** Fill an empty directory: 16 organizations of 16 users, each with a key. Neighbours in the list are of different organizations. */
export async function createUsers(databaseUrl: string): Promise<readonly BenchUser[]> {
  const silent = (): void => undefined
  const directory = await openDirectory({
    url: databaseUrl,
    peppers: { current: pepper, previous: [] },
    connections: 4,
    queryTimeoutMs: 10_000,
    cache: { maxEntries: 1, maxAgeMs: 1_000, staleMs: 1_000, negativeMs: 0 },
    log: { info: silent, warn: silent, error: silent },
  })
  try {
    const users: BenchUser[] = []
    const organizations = await Promise.all(
      Array.from({ length: organizationCount }, (_, index) =>
        directory.organizations.create({ displayName: `Organization ${index}` }, actor),
      ),
    )
    for (let index = 0; index < usersPerOrganization; index++) {
      users.push(
        ...(await Promise.all(organizations.map(({ id }) => createUser(directory, id, index)))),
      )
    }
    return users
  } finally {
    await directory.close()
  }
}

async function createUser(
  directory: Directory,
  organizationId: string,
  index: number,
): Promise<BenchUser> {
  const user = { organizationId, email: `user-${index}@example.com` }
  const { id: userId } = await directory.principals.createUser(user, actor)
  const key = { ownerId: userId, resource: { kind: 'cloud' } } as const
  const { id: keyId, secret } = await directory.apiKeys.create(key, actor)
  const basic = Buffer.from(`${keyId}:${secret}`).toString('base64')
  return { userId, organizationId, keyId, secret, basic }
}
