import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Directory } from '../../src/directory/directory.ts'
import { until } from '../support/until.ts'
import { actor, makeClient, makePool, makeUser } from './opening.ts'

const everything = { limit: 1000 }
const missing = { code: 'RESOURCE_NOT_FOUND' }
const invalid = { code: 'VALIDATION_FAILED' }
const issuer = 'https://issuer.example.com/'

/** What was done to whom, newest first, in an organization or outside of any. */
async function audited(directory: Directory, organizationId?: string): Promise<readonly string[]> {
  const events = await directory.listAuditEvents(organizationId, everything)
  return events.map(({ action, subject }) => `${action} ${subject.id}`)
}

/**
 * What a directory guarantees about tokens, partners, grants and resources, wherever it is kept.
 *
 * @param open opens an empty directory, and closes it when the test ends
 */
export function describeTokenParts(open: () => Promise<Directory>): void {
  describe('an identity provider', () => {
    test('is found by its issuer, with its pools, as tokens are verified with it', async () => {
      const directory = await open()
      const { organizationId, providerId, poolId } = await makePool(directory)
      const found = await directory.findProviders(issuer)
      const provider = {
        id: providerId,
        organizationId,
        issuer,
        jwksUri: 'https://issuer.example.com/keys',
        algorithms: ['RS256', 'ES256'],
        identityClaim: undefined,
        state: 'enabled',
      }
      const pool = { id: poolId, identityClaim: 'claims.sub', filter: 'true', state: 'enabled' }
      expect(found).toEqual([{ ...provider, pools: [pool] }])
      expect(await directory.findPool(poolId)).toEqual({ pool, provider })
    })

    test('is found once for each organization that trusts its issuer, and by nothing else', async () => {
      const directory = await open()
      const first = await makePool(directory)
      const second = await makePool(directory)
      const found = await directory.findProviders(issuer)
      expect(new Set(found.map(({ organizationId }) => organizationId))).toEqual(
        new Set([first.organizationId, second.organizationId]),
      )
      for (const other of [
        'https://issuer.example.com',
        issuer.toUpperCase(),
        '',
        '\0',
        'x'.repeat(2000),
      ])
        expect(await directory.findProviders(other)).toEqual([])
      for (const id of ['pool-none', 'pool-', '', 'POOL-1', first.providerId, '\0'])
        expect(await directory.findPool(id)).toBeUndefined()
    })

    test('is the same object, without a promise, for as long as nothing changes', async () => {
      const directory = await open()
      const { poolId } = await makePool(directory)
      // The notifications of its making may still be under way, and have it read once more.
      await until(async () => {
        const providers = await directory.findProviders(issuer)
        const pool = await directory.findPool(poolId)
        return directory.findProviders(issuer) === providers && directory.findPool(poolId) === pool
      })
    })

    test('is changed in what is named, and in nothing else', async () => {
      const directory = await open()
      const { organizationId, providerId } = await makePool(directory)
      const { identityProviders } = directory
      await identityProviders.update(providerId, { displayName: 'Renamed' }, actor)
      const [renamed] = await identityProviders.list(organizationId, everything)
      expect(renamed).toMatchObject({
        id: providerId,
        displayName: 'Renamed',
        description: 'Everybody.',
        issuer,
        jwksUri: 'https://issuer.example.com/keys',
        algorithms: ['RS256', 'ES256'],
        state: 'enabled',
      })
      const changes = { jwksUri: undefined, identityClaim: 'claims.email', algorithms: [] }
      await identityProviders.update(providerId, changes, actor)
      expect(await directory.findProviders(issuer)).toMatchObject([
        { jwksUri: undefined, identityClaim: 'claims.email', algorithms: [] },
      ])
    })

    test('that gets another issuer is found by that one alone, at once', async () => {
      const directory = await open()
      const { providerId, poolId } = await makePool(directory)
      const moved = 'https://other.example.com'
      await directory.findProviders(issuer)
      expect(await directory.findProviders(moved)).toEqual([])
      await directory.findPool(poolId)
      await directory.identityProviders.update(providerId, { issuer: moved }, actor)
      expect(await directory.findProviders(issuer)).toEqual([])
      expect(await directory.findProviders(moved)).toMatchObject([{ id: providerId }])
      expect(await directory.findPool(poolId)).toMatchObject({ provider: { issuer: moved } })
    })

    test('and its pools say at once that they are disabled, and enabled again', async () => {
      const directory = await open()
      const { providerId, poolId } = await makePool(directory)
      const states = async (): Promise<unknown> => [
        (await directory.findPool(poolId))?.provider.state,
        (await directory.findPool(poolId))?.pool.state,
        (await directory.findProviders(issuer)).map(({ state, pools }) => [state, pools[0]?.state]),
      ]
      expect(await states()).toEqual(['enabled', 'enabled', [['enabled', 'enabled']]])
      await directory.identityProviders.disable(providerId, actor)
      expect(await states()).toEqual(['disabled', 'enabled', [['disabled', 'enabled']]])
      await directory.identityPools.disable(poolId, actor)
      expect(await states()).toEqual(['disabled', 'disabled', [['disabled', 'disabled']]])
      await directory.identityProviders.enable(providerId, actor)
      await directory.identityPools.enable(poolId, actor)
      expect(await states()).toEqual(['enabled', 'enabled', [['enabled', 'enabled']]])
    })

    test('takes its pools with it', async () => {
      const directory = await open()
      const { organizationId, userId, providerId, poolId } = await makePool(directory)
      expect(await directory.findPool(poolId)).toBeDefined()
      await directory.identityProviders.delete(providerId, actor)
      expect(await directory.findPool(poolId)).toBeUndefined()
      expect(await directory.findProviders(issuer)).toEqual([])
      expect(await audited(directory, organizationId)).toEqual([
        `identity-provider.deleted ${providerId}`,
        `identity-pool.deleted ${poolId}`,
        `identity-pool.created ${poolId}`,
        `identity-provider.created ${providerId}`,
        `user.created ${userId}`,
        `organization.created ${organizationId}`,
      ])
    })

    test('is there once for an issuer in an organization', async () => {
      const directory = await open()
      const { organizationId, providerId } = await makePool(directory)
      const { identityProviders } = directory
      const again = { organizationId, displayName: 'Again', issuer }
      await expect(identityProviders.create(again, actor)).rejects.toMatchObject({
        code: 'CONFLICT',
        details: 'The organization has an identity provider with this issuer.',
      })
      const other = await identityProviders.create({ ...again, issuer: 'https://x' }, actor)
      await expect(identityProviders.update(other.id, { issuer }, actor)).rejects.toMatchObject({
        code: 'CONFLICT',
      })
      const ids = [providerId, other.id].toSorted()
      const listed = await identityProviders.list(organizationId, everything)
      expect(listed.map(({ id }) => id)).toEqual(ids)
      const rest = await identityProviders.list(organizationId, { after: ids[0] ?? '', limit: 1 })
      expect(rest.map(({ id }) => id)).toEqual(ids.slice(1))
    })

    test('needs an issuer, algorithms that exist, and an organization', async () => {
      const directory = await open()
      const { organizationId } = await makeUser(directory)
      const good = { organizationId, displayName: 'Good', issuer: 'https://x' }
      const bad = [
        { ...good, issuer: '' },
        { ...good, issuer: 'https://x y' },
        { ...good, issuer: `https://${'x'.repeat(1000)}` },
        { ...good, displayName: '' },
        { ...good, algorithms: ['none'] },
        { ...good, algorithms: ['RS256', 'HS256'] },
      ]
      const { identityProviders } = directory
      for (const provider of bad)
        await expect(identityProviders.create(provider, actor)).rejects.toMatchObject(invalid)
      const nowhere = { ...good, organizationId: '00000000-0000-4000-8000-000000000000' }
      await expect(identityProviders.create(nowhere, actor)).rejects.toMatchObject(missing)
      expect(await identityProviders.list(organizationId, everything)).toEqual([])
    })
  })

  describe('an identity pool', () => {
    test('is changed in what is named, and listed as it is', async () => {
      const directory = await open()
      const { providerId, poolId } = await makePool(directory)
      await directory.identityPools.update(poolId, { filter: 'claims.aud == "x"' }, actor)
      expect(await directory.findPool(poolId)).toMatchObject({
        pool: { filter: 'claims.aud == "x"', identityClaim: 'claims.sub' },
      })
      const [listed] = await directory.identityPools.list(providerId, everything)
      expect(listed).toMatchObject({
        id: poolId,
        providerId,
        displayName: 'All',
        description: '',
        filter: 'claims.aud == "x"',
      })
    })

    test('that is deleted is gone at once, and its provider stays', async () => {
      const directory = await open()
      const { providerId, poolId } = await makePool(directory)
      await directory.findProviders(issuer)
      await directory.findPool(poolId)
      await directory.identityPools.delete(poolId, actor)
      expect(await directory.findPool(poolId)).toBeUndefined()
      expect(await directory.findProviders(issuer)).toMatchObject([{ id: providerId, pools: [] }])
    })

    test('needs a provider that exists, and a filter', async () => {
      const directory = await open()
      const { providerId } = await makePool(directory)
      const pool = { providerId, displayName: 'P', identityClaim: 'claims.sub', filter: 'true' }
      const { identityPools } = directory
      const orphan = { ...pool, providerId: 'op-none' }
      await expect(identityPools.create(orphan, actor)).rejects.toMatchObject(missing)
      const unfiltered = { ...pool, filter: '' }
      await expect(identityPools.create(unfiltered, actor)).rejects.toMatchObject(invalid)
    })
  })

  test('what does not exist can be neither changed nor deleted', async () => {
    const directory = await open()
    const { identityProviders, identityPools, partners, partnerClients, resources } = directory
    for (const part of [identityProviders, identityPools, partners, partnerClients]) {
      await expect(part.update('none', {}, actor)).rejects.toMatchObject(missing)
      await expect(part.enable('none', actor)).rejects.toMatchObject(missing)
      await expect(part.disable('none', actor)).rejects.toMatchObject(missing)
      await expect(part.delete('none', actor)).rejects.toMatchObject(missing)
    }
    await expect(resources.update('none', {}, actor)).rejects.toMatchObject(missing)
    await expect(resources.delete('none', actor)).rejects.toMatchObject(missing)
    expect(await audited(directory)).toEqual([])
  })

  describe("a partner's client", () => {
    test('is found with its partner, and keeps only the digest of its secret', async () => {
      const directory = await open()
      const { partnerId, id, secret } = await makeClient(directory)
      expect(id.length).toBeGreaterThanOrEqual(16)
      expect(secret).toMatch(/^gatehouse_client_[0-9A-Za-z]{54}$/)
      const client = await directory.findPartnerClient(id)
      expect(client).toEqual({
        id,
        partnerId,
        state: 'enabled',
        partnerState: 'enabled',
        scopes: ['partner:create', 'partner:describe'],
        authMethods: ['client_secret_basic'],
        jwks: undefined,
        secrets: [
          { digest: directory.digestSecret(secret)('p1'), pepperId: 'p1', expiresAtMs: undefined },
        ],
      })
    })

    test('that does not exist is not found, whatever stands in place of an id', async () => {
      const directory = await open()
      for (const id of [
        'client-01234567890123456789',
        '',
        'short',
        'x'.repeat(256),
        'a:b'.repeat(9),
      ])
        expect(await directory.findPartnerClient(id)).toBeUndefined()
    })

    test('that signs its assertions has public keys, and no secret', async () => {
      const directory = await open()
      const { partnerId } = await makeClient(directory)
      const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
      const jwks = { keys: [{ ...jwk, kid: 'k1' }] }
      const signing = {
        partnerId,
        displayName: 'Signs',
        scopes: [],
        authMethods: ['private_key_jwt'],
        jwks,
      } as const
      const { id, secret } = await directory.partnerClients.create(signing, actor)
      expect(secret).toBeUndefined()
      expect(await directory.findPartnerClient(id)).toMatchObject({ jwks, secrets: [] })
      const { partnerClients } = directory
      await expect(partnerClients.update(id, { jwks: undefined }, actor)).rejects.toMatchObject(
        invalid,
      )
    })

    test('cannot leave a private or symmetric key with us', async () => {
      const directory = await open()
      const { id } = await makeClient(directory)
      const okp = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
      const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
        format: 'jwk',
      })
      const good = { kty: 'OKP', crv: 'Ed25519', x: 'x' }
      const bad: readonly object[] = [
        okp,
        rsa,
        { kty: 'oct', k: 'c2VjcmV0' },
        { crv: 'Ed25519' },
        [{ ...good, d: 'x' }],
      ]
      const { partnerClients } = directory
      for (const key of bad) {
        const jwks = { keys: [good, key as Record<string, unknown>] }
        await expect(partnerClients.update(id, { jwks }, actor)).rejects.toMatchObject(invalid)
      }
      const noSet = { keys: 'none' } as never
      await expect(partnerClients.update(id, { jwks: noSet }, actor)).rejects.toMatchObject(invalid)
      await partnerClients.update(id, { jwks: { keys: [good] } }, actor)
    })

    test('has scopes that are scopes, and a way to authenticate', async () => {
      const directory = await open()
      const { id } = await makeClient(directory)
      const { partnerClients } = directory
      for (const scope of ['a b', 'a"b', 'a\\b', 'a\tb', 'ä', 'a\nb'])
        await expect(partnerClients.update(id, { scopes: [scope] }, actor)).rejects.toMatchObject(
          invalid,
        )
      const authMethods = [] as const
      await expect(partnerClients.update(id, { authMethods }, actor)).rejects.toMatchObject(invalid)
      const scopes = ['marketplace::describe', '!#[]~', 'partner:alter']
      await partnerClients.update(id, { scopes }, actor)
      expect(await directory.findPartnerClient(id)).toMatchObject({ scopes })
    })

    test('gets a second secret as an API key does, and no third', async () => {
      const directory = await open()
      const { id } = await makeClient(directory)
      const soonMs = Date.now() + 60_000
      const next = { clientId: id, otherExpiresAtMs: soonMs }
      const { secret } = await directory.partnerClients.addSecret(next, actor)
      const client = await directory.findPartnerClient(id)
      expect(client?.secrets.map(({ expiresAtMs }) => expiresAtMs)).toEqual([soonMs, undefined])
      expect(client?.secrets[1]?.digest).toEqual(directory.digestSecret(secret)('p1'))
      await expect(
        directory.partnerClients.addSecret({ clientId: id }, actor),
      ).rejects.toMatchObject({ code: 'CONFLICT' })
    })

    test('says at once that it, or its partner, is disabled', async () => {
      const directory = await open()
      const { partnerId, id } = await makeClient(directory)
      await directory.findPartnerClient(id)
      await directory.partners.disable(partnerId, actor)
      expect(await directory.findPartnerClient(id)).toMatchObject({ partnerState: 'disabled' })
      await directory.partners.enable(partnerId, actor)
      await directory.partnerClients.disable(id, actor)
      const disabled = { partnerState: 'enabled', state: 'disabled' }
      expect(await directory.findPartnerClient(id)).toMatchObject(disabled)
    })

    test('goes with its partner, and each change is written down once', async () => {
      const directory = await open()
      const { partnerId, id } = await makeClient(directory)
      await directory.findPartnerClient(id)
      await directory.partners.update(partnerId, { displayName: 'Renamed' }, actor)
      await directory.partners.enable(partnerId, actor)
      expect(await directory.partners.list(everything)).toMatchObject([
        { id: partnerId, displayName: 'Renamed', state: 'enabled' },
      ])
      expect(await directory.partnerClients.list(partnerId, everything)).toMatchObject([{ id }])
      await directory.partners.delete(partnerId, actor)
      expect(await directory.findPartnerClient(id)).toBeUndefined()
      expect(await audited(directory)).toEqual([
        `partner.deleted ${partnerId}`,
        `partner-client.deleted ${id}`,
        `partner.updated ${partnerId}`,
        `partner-client.created ${id}`,
        `partner.created ${partnerId}`,
      ])
    })
  })

  describe('an access grant', () => {
    test('counts at once when it is given, and when it is taken back', async () => {
      const directory = await open()
      const { organizationId } = await makeUser(directory)
      const grant = { organizationId, name: 'Partner v2' }
      expect(await directory.findGrants(organizationId)).toEqual(new Set())
      await directory.accessGrants.create(grant, actor)
      expect(await directory.findGrants(organizationId)).toEqual(new Set(['Partner v2']))
      await expect(directory.accessGrants.create(grant, actor)).rejects.toMatchObject({
        code: 'CONFLICT',
        details: 'The organization has this grant already.',
      })
      const [listed] = await directory.accessGrants.list(organizationId, everything)
      expect(listed?.name).toBe('Partner v2')
      await directory.accessGrants.delete(grant, actor)
      expect(await directory.findGrants(organizationId)).toEqual(new Set())
      await expect(directory.accessGrants.delete(grant, actor)).rejects.toMatchObject(missing)
      expect((await audited(directory, organizationId)).slice(0, 2)).toEqual([
        `access-grant.deleted ${listed?.id}`,
        `access-grant.created ${listed?.id}`,
      ])
    })
  })

  describe('a resource', () => {
    const name = { resourceKind: 'kafka-cluster', resourceId: 'lkc-1' }
    const opened = {
      kind: 'resource',
      resourceKind: 'kafka-cluster',
      id: 'lkc-1',
      environment: undefined,
    } as const

    test('takes with it the keys that open it, and no others', async () => {
      const directory = await open()
      const { organizationId, userId: ownerId } = await makeUser(directory)
      const { id } = await directory.resources.create({ organizationId, ...name }, actor)
      const key = await directory.apiKeys.create({ ownerId, resource: opened }, actor)
      const others = await Promise.all(
        [
          { kind: 'cloud' } as const,
          { ...opened, id: 'lkc-2' },
          { ...opened, resourceKind: 'ksqldb' },
          { ...opened, environment: 'env-1' },
        ].map((resource) => directory.apiKeys.create({ ownerId, resource }, actor)),
      )
      expect(await directory.findApiKey(key.id)).toBeDefined()
      await directory.resources.delete(id, actor)
      expect(await directory.findApiKey(key.id)).toBeUndefined()
      for (const other of others) expect(await directory.findApiKey(other.id)).toBeDefined()
      expect((await audited(directory, organizationId)).slice(0, 2)).toEqual([
        `resource.deleted ${id}`,
        `api-key.deleted ${key.id}`,
      ])
    })

    test('is known once, and renamed', async () => {
      const directory = await open()
      const { organizationId } = await makeUser(directory)
      const { resources } = directory
      const { id } = await resources.create({ organizationId, ...name }, actor)
      const again = { organizationId, ...name }
      await expect(resources.create(again, actor)).rejects.toMatchObject({
        code: 'CONFLICT',
        details: 'The gateway knows this resource already.',
      })
      await resources.create({ ...again, environment: 'env-1' }, actor)
      await resources.update(id, { displayName: 'Orders' }, actor)
      const listed = await resources.list(organizationId, everything)
      expect(listed).toHaveLength(2)
      const renamed = { ...name, environment: undefined, displayName: 'Orders', organizationId }
      expect(listed.find((resource) => resource.id === id)).toMatchObject(renamed)
    })

    test("of one organization is not opened by another's keys, whichever was there first", async () => {
      const directory = await open()
      const here = await makeUser(directory)
      const there = await makeUser(directory)
      const { resources, apiKeys } = directory
      await resources.create({ organizationId: here.organizationId, ...name }, actor)
      const foreign = { ownerId: there.userId, resource: opened }
      await expect(apiKeys.create(foreign, actor)).rejects.toMatchObject(missing)
      const later = { ...opened, id: 'lkc-2' }
      await apiKeys.create({ ownerId: there.userId, resource: later }, actor)
      const late = { organizationId: here.organizationId, ...name, resourceId: 'lkc-2' }
      await expect(resources.create(late, actor)).rejects.toMatchObject({ code: 'CONFLICT' })
    })
  })

  describe('a token of ours', () => {
    test('is known to be revoked from then on, whoever asks how often', async () => {
      const directory = await open()
      expect(directory.isTokenRevoked('t1')).toBe(false)
      for (let turn = 0; turn < 2; turn++)
        await directory.revokeToken('t1', Date.now() + 60_000, actor)
      expect(directory.isTokenRevoked('t1')).toBe(true)
      expect(directory.isTokenRevoked('t2')).toBe(false)
      expect(await audited(directory)).toEqual(['token.revoked t1'])
      const tooLong = directory.revokeToken('x'.repeat(256), Date.now(), actor)
      await expect(tooLong).rejects.toMatchObject(invalid)
    })
  })

  describe('an assertion', () => {
    test('is new once for each client, also where it is used many times at once', async () => {
      const directory = await open()
      const inAMinute = Date.now() + 60_000
      const attempts = Array.from({ length: 8 }, () =>
        directory.useAssertion('client-1', 'j1', inAMinute),
      )
      const first = (await Promise.all(attempts)).filter((isNew) => isNew)
      expect(first).toHaveLength(1)
      expect(await directory.useAssertion('client-1', 'j1', inAMinute)).toBe(false)
      expect(await directory.useAssertion('client-1', 'j2', inAMinute)).toBe(true)
      expect(await directory.useAssertion('client-2', 'j1', inAMinute)).toBe(true)
      await expect(directory.useAssertion('client-1', '', inAMinute)).rejects.toMatchObject(invalid)
    })
  })

  describe('signing keys', () => {
    const rotation = { algorithm: 'EdDSA', minPublishedMs: 60_000, keepPreviousMs: 60_000 } as const

    test.each(['EdDSA', 'ES256'] as const)(
      'for %s sign what their public ones verify',
      async (algorithm) => {
        const directory = await open()
        expect(directory.signingKeys()).toBeUndefined()
        await directory.keyRotation.ensure(algorithm, actor)
        const keys = directory.signingKeys()
        if (keys?.current.privateKey === undefined) throw new Error('there is no private key')
        const hash = algorithm === 'ES256' ? 'sha256' : undefined
        const signature = sign(hash, Buffer.from('text'), keys.current.privateKey)
        expect(verify(hash, Buffer.from('text'), keys.current.publicKey, signature)).toBe(true)
        const { kid, publicJwk } = keys.current
        expect(publicJwk).toMatchObject({ kid, alg: algorithm, use: 'sig' })
        expect(Object.keys(publicJwk)).not.toContain('d')
        expect(keys.next?.kid).not.toBe(kid)
        expect(keys.previous).toEqual([])
      },
    )

    test('are made once, however many make them at the same time', async () => {
      const directory = await open()
      const ensuring = Array.from({ length: 4 }, () => directory.keyRotation.ensure('EdDSA', actor))
      await Promise.all(ensuring)
      const before = directory.signingKeys()
      await directory.keyRotation.ensure('EdDSA', actor)
      expect(directory.signingKeys()).toBe(before)
      const listed = await directory.keyRotation.list()
      expect(listed.map(({ state }) => state).toSorted()).toEqual(['current', 'next'])
      expect(JSON.stringify(listed)).not.toMatch(/"(?:d|private\w*)":/)
    })

    test('take turns: next, current, previous; and each is published before it is used', async () => {
      const directory = await open()
      await directory.keyRotation.ensure('EdDSA', actor)
      const first = directory.signingKeys()
      await directory.keyRotation.rotate({ ...rotation, minPublishedMs: 0 }, actor)
      const second = directory.signingKeys()
      expect(second?.current.kid).toBe(first?.next?.kid)
      expect(second?.previous.map(({ kid }) => kid)).toEqual([first?.current.kid])
      expect(second?.previous[0]?.keepUntilMs).toBeGreaterThan(Date.now())
      await directory.keyRotation.rotate(
        { ...rotation, minPublishedMs: 0, algorithm: 'ES256' },
        actor,
      )
      const third = directory.signingKeys()
      expect(third?.current.kid).toBe(second?.next?.kid)
      expect(third?.next?.algorithm).toBe('ES256')
      expect(third?.previous.map(({ kid }) => kid).toSorted()).toEqual(
        [first?.current.kid, second?.current.kid].toSorted(),
      )
    })

    test('are not rotated to one that nobody has had time to fetch, unless forced', async () => {
      const directory = await open()
      await directory.keyRotation.ensure('EdDSA', actor)
      const before = directory.signingKeys()
      await expect(directory.keyRotation.rotate(rotation, actor)).rejects.toMatchObject({
        code: 'CONFLICT',
        details: 'The next signing key has not been published for long enough.',
      })
      expect(directory.signingKeys()).toBe(before)
      await directory.keyRotation.rotate({ ...rotation, force: true }, actor)
      expect(directory.signingKeys()?.current.kid).toBe(before?.next?.kid)
    })

    test('are deleted when they were kept for long enough, and not before', async () => {
      const directory = await open()
      await directory.keyRotation.ensure('EdDSA', actor)
      const [first, rotate] = [directory.signingKeys()?.current.kid, directory.keyRotation.rotate]
      await rotate({ ...rotation, minPublishedMs: 0, keepPreviousMs: 0 }, actor)
      const second = directory.signingKeys()?.current.kid
      await rotate({ ...rotation, minPublishedMs: 0 }, actor)
      await directory.keyRotation.prune(actor)
      expect(directory.signingKeys()?.previous.map(({ kid }) => kid)).toEqual([second])
      expect((await audited(directory))[0]).toBe(`signing-key.deleted ${first ?? ''}`)
    })
  })
}
