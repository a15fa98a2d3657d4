import { expect, test } from 'vitest'
import { configurationSchema, type Configuration } from '../../src/config/schema.ts'
import { unreloadable } from '../../src/config/unreloadable.ts'

function configured(members: Readonly<Record<string, unknown>> = {}): Configuration {
  const group = {
    ...{ name: 'a/v1', document: 'a.yaml', limitClass: 'standard' },
    upstream: { urls: ['http://127.0.0.1:1'] },
  }
  return configurationSchema.parse({
    limits: { classes: { standard: {} } },
    apiGroups: [group],
    ...members,
  })
}

test('what counts only after a restart is named, each place by itself', () => {
  const next = configured({
    listen: { public: { port: 9090 } },
    redis: { url: 'redis://127.0.0.1', commandTimeoutMs: 60 },
    limits: { replicas: 3, classes: { standard: { user: { concurrent: 1 } } } },
    publicOrigin: 'https://api.example.com',
    demo: { port: 1 },
  })
  expect(unreloadable(configured(), next).toSorted()).toEqual(
    [
      ...['demo.port', 'limits.replicas', 'listen.public', 'publicOrigin'],
      ...['redis.commandTimeoutMs', 'redis.url'],
    ].toSorted(),
  )
})

test('groups, roles, limits, schemes and trusted proxies need no restart', () => {
  const next = configured({
    apiGroups: [
      {
        ...{ name: 'b/v1', document: 'b.yaml', limitClass: 'other' },
        upstream: { urls: ['http://127.0.0.1:2'] },
      },
    ],
    roles: { Reader: { operations: [{ group: '*' }] } },
    limits: { classes: { other: {} }, quotas: {} },
    schemes: { mine: 'cloud-api-key' },
    transport: { trustedProxies: ['10.0.0.0/8'] },
    requests: { maxBodyBytes: 1 },
  })
  expect(unreloadable(configured(), next)).toEqual([])
})
