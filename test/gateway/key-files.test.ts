import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createAssertionVerifier } from '../../examples/upstream/verify-assertion.ts'
import { startGateway } from '../support/gateway.ts'
import { recordingUpstream } from '../support/recording-upstream.ts'

test('keys in files sign what the key set verifies, and the directory keeps none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-key-files-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const current = join(folder, 'current.jwk')
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'of-the-operator' }
  await writeFile(current, JSON.stringify(jwk))
  const upstream = await recordingUpstream()
  onTestFinished(() => upstream.close())
  const gateway = await startGateway({
    groups: [
      {
        name: 'orders',
        paths: { '/things': { get: {} } },
        upstreamUrl: upstream.url,
        upstream: { assertionAudience: 'orders' },
      },
    ],
    services: ['oauth'],
    configuration: {
      publicOrigin: 'https://api.test',
      tokens: { signingKeys: { files: { current } } },
    },
  })
  onTestFinished(() => gateway.stop())
  const origin = `http://127.0.0.1:${gateway.port}`
  const { authorization } = gateway.key
  expect((await fetch(`${origin}/things`, { headers: { authorization } })).status).toBe(200)
  const keySet = `${origin}/oauth2/jwks.json`
  const verify = createAssertionVerifier('https://api.test', 'orders', keySet)
  const assertion = upstream.requests[0]?.headers['gatehouse-assertion']
  expect(await verify(String(assertion))).toMatchObject({ principalId: gateway.userId })
  const { keys } = (await (await fetch(keySet)).json()) as { keys: readonly object[] }
  expect(keys).toMatchObject([{ kid: 'of-the-operator', alg: 'ES256', use: 'sig' }])
  expect(JSON.stringify(keys)).not.toContain(String(jwk.d))
  expect(await gateway.directory.keyRotation.list()).toEqual([])
})
