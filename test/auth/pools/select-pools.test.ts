import { expect, test } from 'vitest'
import type {
  IdentityPoolRecord,
  IdentityProviderRecord,
} from '../../../src/auth/identity-provider.ts'
import { createFilterCache } from '../../../src/auth/pools/filter-cache.ts'
import { createFilterCompiler, type CompileFilter } from '../../../src/auth/pools/filter.ts'
import { readPoolHeader } from '../../../src/auth/pools/pool-header.ts'
import { selectPools } from '../../../src/auth/pools/select-pools.ts'

function pool(id: string, changes: Partial<IdentityPoolRecord> = {}): IdentityPoolRecord {
  return { id, state: 'enabled', identityClaim: 'claims.sub', filter: 'true', ...changes }
}

function provider(organizationId: string, pools: IdentityPoolRecord[]): IdentityProviderRecord {
  return {
    id: `op-${organizationId}`,
    organizationId,
    issuer: 'https://idp.example.com',
    jwksUri: undefined,
    algorithms: ['RS256'],
    state: 'enabled',
    identityClaim: undefined,
    pools,
  }
}

const filterOf = createFilterCache(createFilterCompiler())

function select(header: string | undefined, ...providers: IdentityProviderRecord[]): unknown {
  const candidates = providers.flatMap((one) =>
    one.pools.map((each) => ({ provider: one, pool: each })),
  )
  const selected = selectPools(
    { sub: 'u', group: ['a'] },
    candidates,
    readPoolHeader(header),
    filterOf,
  )
  if (selected.kind === 'refused') return selected.reason
  return [selected.organizationId, ...selected.candidates.map((each) => each.pool.id)]
}

const own = provider('o-1', [
  pool('pool-all'),
  pool('pool-a', { filter: '"a" in claims.group' }),
  pool('pool-b', { filter: '"b" in claims.group' }),
  pool('pool-off', { state: 'disabled' }),
  pool('pool-broken', { filter: 'claims.' }),
  pool('pool-empty', { filter: '' }),
])

test('without a header, all enabled pools that match are joined', () => {
  expect(select(undefined, own)).toEqual(['o-1', 'pool-all', 'pool-a'])
})

test('with a header, those named that match are joined', () => {
  expect(select('pool-a', own)).toEqual(['o-1', 'pool-a'])
  expect(select(' pool-a ,\tpool-b', own)).toEqual(['o-1', 'pool-a'])
  expect(select('pool-b', own)).toBe('no-pool-matches')
  expect(select('pool-broken', own)).toBe('no-pool-matches')
  expect(select('pool-empty', own)).toBe('no-pool-matches')
})

test('a named pool that does not exist or is disabled refuses the request', () => {
  expect(select('pool-a,pool-off', own)).toBe('unknown-pool')
  expect(select('pool-a,pool-nowhere', own)).toBe('unknown-pool')
  expect(select('constructor', own)).toBe('unknown-pool')
})

test('a header that is no list of one to ten different ids is refused', () => {
  const ids = Array.from({ length: 11 }, (_, index) => `pool-${index}`)
  const malformed = ['', ' ', ',', 'pool-a,', ',pool-a', 'pool-a,,pool-b', 'pool-a,pool-a']
  const others = [
    'pool a',
    'pool-a;pool-b',
    'p'.repeat(65),
    'x'.repeat(2000),
    ids.join(),
    'é',
    '"a"',
  ]
  for (const header of [...malformed, ...others])
    expect(select(header, own)).toBe('pool-header-malformed')
  expect(readPoolHeader(ids.slice(1).join(', '))).toEqual({ kind: 'named', ids: ids.slice(1) })
})

test('pools of several organizations are never joined', () => {
  const other = provider('o-2', [pool('pool-other'), pool('pool-no', { filter: 'false' })])
  expect(select(undefined, own, other)).toBe('ambiguous-organization')
  expect(select('pool-a,pool-other', own, other)).toBe('ambiguous-organization')
  expect(select('pool-other', own, other)).toEqual(['o-2', 'pool-other'])
  const silent = provider('o-3', [pool('pool-no', { filter: 'false' })])
  expect(select(undefined, own, silent)).toEqual(['o-1', 'pool-all', 'pool-a'])
})

test('a token is held against a hundred filters at most', () => {
  const many = Array.from({ length: 101 }, (_, index) => pool(`pool-${index}`))
  expect(select(undefined, provider('o-1', many))).toBe('too-many-pools')
  expect(select('pool-7', provider('o-1', many))).toEqual(['o-1', 'pool-7'])
})

test('a filter is compiled once, and the last used are remembered', () => {
  const compiled: string[] = []
  const compile = createFilterCompiler()
  const counting: CompileFilter = (text) => {
    compiled.push(text)
    return compile(text)
  }
  const cached = createFilterCache(counting, 2)
  for (const text of ['true', 'claims.', 'true', 'claims.', 'false', 'claims.', 'true'])
    cached(text)
  expect(compiled).toEqual(['true', 'claims.', 'false', 'true'])
  expect(cached('claims.')).toBeUndefined()
})
