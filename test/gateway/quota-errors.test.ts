import { afterAll, beforeAll, expect, it } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

let upstream: RecordingUpstream
let gateway: TestGateway

const paths = { '/things': { post: {}, get: {} } }

beforeAll(async () => {
  upstream = await recordingUpstream()
  gateway = await startGateway({
    groups: [
      { name: 'usual', mount: '/usual', upstreamUrl: upstream.url, paths },
      {
        name: 'own',
        mount: '/own',
        upstreamUrl: upstream.url,
        paths,
        quotaErrors: ['Too Many Widgets'],
      },
      { name: 'never', mount: '/never', upstreamUrl: upstream.url, paths, quotaErrors: [] },
      {
        name: 'connect',
        mount: '/connect',
        upstreamUrl: upstream.url,
        paths,
        errorProfile: 'connect',
      },
    ],
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

type Body = { error: { code: string | number; message: string; details?: string } }

/** Ask a group whose service answers so. */
async function ask(group: string, status: number, text: string) {
  upstream.behave((_incoming, outgoing) => {
    outgoing.writeHead(status, { 'Content-Type': 'application/json' }).end(text)
  })
  const headers = { authorization: gateway.key.authorization }
  const url = `http://127.0.0.1:${gateway.port}/${group}/things`
  const answer = await fetch(url, { method: 'POST', headers })
  return { status: answer.status, text: await answer.text() }
}

const widgets = '{"error":{"code":"limit","message":"too many widgets on host-7"}}'
const usual = '{"error":{"code":"QUOTA_EXCEEDED","message":"on host-7"}}'

it('a 400 that means an exceeded quota becomes 402, in the envelope and without its text', async () => {
  for (const [group, text] of [
    ['usual', usual],
    ['own', widgets],
  ] as const) {
    const answer = await ask(group, 400, text)
    expect(answer.status).toBe(402)
    expect((JSON.parse(answer.text) as Body).error.code).toBe('QUOTA_EXCEEDED')
    expect(answer.text).not.toContain('host-7')
  }
})

it('it has the shape of the group', async () => {
  const answer = await ask('connect', 400, usual)
  expect(answer.status).toBe(402)
  expect((JSON.parse(answer.text) as Body).error.code).toBe(402)
})

it('only what a group names means that, and only in a 400', async () => {
  for (const [group, status, text] of [
    ['usual', 400, widgets],
    ['own', 400, usual],
    ['never', 400, usual],
    ['usual', 409, usual],
    ['usual', 422, usual],
  ] as const) {
    const answer = await ask(group, status, text)
    expect(answer.status, `${group} ${status}`).toBe(status)
    expect(JSON.parse(answer.text)).toMatchObject(JSON.parse(text) as object)
  }
})

it('any other 400 passes byte by byte but for the request id, numbers of any size included', async () => {
  const text = '{"error":{"code":"x","message":"m"},"big":90071992547409931234,"deep":[1.0]}'
  const answer = await ask('usual', 400, text)
  expect(answer.status).toBe(400)
  expect(answer.text.replace(/"requestId":"[^"]+",/, '')).toBe(text)
})

it('a 400 without an end is cut at a bound and answered by its status', async () => {
  let written = 0
  upstream.behave((_incoming, outgoing) => {
    outgoing.writeHead(400, { 'Content-Type': 'application/json' })
    const more = (): void => {
      while (!outgoing.destroyed && outgoing.write('x'.repeat(16_384))) written += 16_384
      if (!outgoing.destroyed) outgoing.once('drain', more)
    }
    more()
  })
  const headers = { authorization: gateway.key.authorization }
  const url = `http://127.0.0.1:${gateway.port}/usual/things`
  const answer = await fetch(url, { method: 'POST', headers })
  expect(answer.status).toBe(400)
  expect((await answer.text()).length).toBeLessThan(4_096)
  expect(written).toBeLessThan(67_108_864)
})

it('a success that speaks of quotas is no error', async () => {
  expect(await ask('usual', 200, usual)).toEqual({ status: 200, text: usual })
})
