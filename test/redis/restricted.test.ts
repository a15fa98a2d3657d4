import { readFileSync } from 'node:fs'
import { expect, it, onTestFinished } from 'vitest'
import { connectRedis } from '../../src/redis/connection.ts'
import { isAdmitted, limitClass, openAdmission, times } from '../limits/fixtures.ts'
import { freePort } from '../support/processes.ts'
import { addRestrictedUser, restricted } from '../support/redis-acl.ts'
import { startRedisServer } from '../support/redis-topologies.ts'

const patience = { commandTimeoutMs: 1_000, connectTimeoutMs: 2_000 }
const fileOf = (name: string): string => new URL(`tls/${name}`, import.meta.url).pathname
const ca = readFileSync(fileOf('test-cert.pem'), 'utf8')

it('what docs/limits.md grants an ACL user is enough, and the server asks for nothing more', async () => {
  const server = await startRedisServer(['save ""'])
  onTestFinished(() => server.stop())
  await addRestrictedUser(server.client, 'mine')
  const url = `redis://127.0.0.1:${server.port}`
  const redis = await connectRedis({ url, ...restricted, ...patience })
  onTestFinished(() => {
    redis.close()
  })
  const window = { requests: 3, windowMs: 60_000 }
  const limits = limitClass({
    user: { window, concurrent: 10 },
    organization: { window: { ...window, isSliding: true } },
  })
  const admission = openAdmission(redis, { keyPrefix: 'mine' })
  const at = { organizationId: 'o-1', principalId: 'u-1', limitClass: limits }
  const decisions = await times(9, () => admission.admit(at))
  expect(decisions.filter(isAdmitted)).toHaveLength(3)
  for (const each of decisions) if (isAdmitted(each)) each.permit.release()
  for (let i = 0; i < 4; i++) await admission.admitAddress('192.0.2.1')
  const elsewhere = { ...at, organizationId: 'o-2' }
  for (const { key } of admission.findLimits(elsewhere).slots) await server.client.lpush(key, 'x')
  await admission.admit(elsewhere)
  await admission.close()
  expect(admission.health().redis).toMatchObject({ failedCalls: 0, outages: 0 })
  expect(await server.client.call('ACL', 'LOG')).toEqual([])
})

it('over TLS, a server is asked whose certificate is trusted, and no other', async () => {
  const port = await freePort()
  const files = { cert: fileOf('test-cert.pem'), key: fileOf('test-key.pem') }
  const server = await startRedisServer([
    `tls-port ${port}`,
    `tls-cert-file ${files.cert}`,
    `tls-key-file ${files.key}`,
    'tls-auth-clients no',
  ])
  onTestFinished(() => server.stop())
  const url = `rediss://127.0.0.1:${port}`
  const trusting = await connectRedis({ url, tls: { ca }, ...patience })
  onTestFinished(() => {
    trusting.close()
  })
  expect(trusting.isReady()).toBe(true)
  const doubting = await connectRedis({ url, ...patience })
  onTestFinished(() => {
    doubting.close()
  })
  expect(doubting.isReady()).toBe(false)
})
