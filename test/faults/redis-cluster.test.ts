import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AdmissionOptions } from '../../src/limits/admission.ts'
import { connectRedis, type RedisConnection } from '../../src/redis/connection.ts'
import { hashSlot } from '../../src/redis/hash-slot.ts'
import { isAdmitted, limitClass, openAdmission, times, verdictOf } from '../limits/fixtures.ts'
import { addRestrictedUser, restricted } from '../support/redis-acl.ts'
import { startCluster, type ClusterSetup, type RedisServer } from '../support/redis-topologies.ts'
import { until } from '../support/until.ts'

let cluster: ClusterSetup
let redis: RedisConnection

beforeAll(async () => {
  cluster = await startCluster(1)
  for (const { client } of cluster.nodes) await addRestrictedUser(client, 'test-*', true)
  redis = await connect()
}, 60_000)
afterAll(async () => {
  redis.close()
  await cluster.stop()
})

function connect(): Promise<RedisConnection> {
  const nodes = cluster.nodes.slice(0, 2).map(({ host, port }) => ({ host, port }))
  const patience = { commandTimeoutMs: 1_000, connectTimeoutMs: 2_000 }
  return connectRedis({ cluster: { nodes }, ...restricted, ...patience })
}

const window = { requests: 10, windowMs: 600_000 }
const limits = limitClass({ user: { window, concurrent: 100 }, organization: { window } })
const at = (organizationId: string) => ({ organizationId, principalId: 'u-1', limitClass: limits })

const open = (options: Partial<AdmissionOptions> = {}) =>
  openAdmission(redis, { leaseMs: 60_000, ...options })

async function leases(): Promise<number> {
  const counts = await Promise.all(
    cluster.nodes.map(async ({ client }) => {
      if ((await client.role())[0] !== 'master') return 0
      const keys = await client.keys('*}[lL]*')
      const sizes = await Promise.all(keys.map((key) => client.zcard(key)))
      return sizes.reduce((sum, size) => sum + size, 0)
    }),
  )
  return counts.reduce((sum, each) => sum + each, 0)
}

it('asks each hash slot for its own, and the limits of all are exact', async () => {
  const admission = open()
  const decisions = await times(400, (i) => admission.admit(at(`o-${i % 20}`)))
  const admitted = decisions.filter(isAdmitted)
  expect(admitted).toHaveLength(200)
  expect(admitted.some(({ degraded }) => degraded)).toBe(false)
  expect(admission.health().redis).toMatchObject({ failedCalls: 0, outages: 0 })
  expect(await leases()).toBe(200)
  for (const { permit } of admitted) permit.release()
  await until(async () => (await leases()) === 0)
  await admission.close()
})

it('knows the slot of a key as the cluster does', async () => {
  for (const key of ['plain', 'a:{tag}:b', '{}x', 'a{b', '{a}{b}', 'a:{ö}'])
    expect(hashSlot(key)).toBe(await cluster.nodes[0].client.cluster('KEYSLOT', key))
})

it('goes on counting where a slot moves to another node', async () => {
  const admission = open()
  const key = `${admission.keyPrefix}:{o-moving}`
  const slot = hashSlot(key)
  const from = await cluster.ownerOf(slot)
  const to = cluster.nodes.slice(0, 3).find((node) => node !== from)
  if (to === undefined) throw new Error('There is no other node')
  const ask = async (): Promise<string> => verdictOf(await admission.admit(at('o-moving')))
  for (let i = 0; i < 6; i++) expect(await ask()).toBe('admitted')
  await moveSlot(slot, from, to)
  const later = []
  for (let i = 0; i < 6; i++) later.push(await ask())
  expect(later.filter((verdict) => verdict === 'admitted')).toHaveLength(4)
  expect(admission.health().redis?.failedCalls).toBe(0)
  await admission.close()
})

it('asks again within seconds after a primary died and its replica took over', async () => {
  const admission = open({ replicas: 1 })
  const [victim] = cluster.nodes
  await victim.client.wait(1, 1_000)
  await victim.kill()
  const ask = async () => admission.admit(at(`o-${Math.random()}`))
  // Whoever is asked about meanwhile is answered, by this process if need be.
  await until(async () => {
    const decisions = await times(50, ask)
    expect(decisions.filter(isAdmitted)).toHaveLength(50)
    return (
      admission.health().redis?.state === 'up' &&
      decisions.filter(isAdmitted).every(({ degraded }) => !degraded)
    )
  }, 15_000)
  await admission.close()
}, 30_000)

/** As `redis-cli --cluster reshard` does. */
async function moveSlot(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
  const [fromId, toId] = await Promise.all(
    [from, to].map(async ({ client }) => await client.cluster('MYID')),
  )
  await to.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId ?? '')
  await from.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId ?? '')
  const keys = (await from.client.call('CLUSTER', 'GETKEYSINSLOT', slot, 1_000)) as string[]
  await from.client.call('MIGRATE', to.host, to.port, '', 0, 5_000, 'KEYS', ...keys)
  for (const node of [to, from])
    await node.client.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId ?? '')
}
