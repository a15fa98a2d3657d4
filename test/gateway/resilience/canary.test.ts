import { expect, test } from 'vitest'
import { answers, breaks } from './answers.ts'
import { alike, countsOf, useScene } from './scene.ts'

const scene = useScene()

function arrange(canary: object, upstream: object = {}) {
  return scene.arrange(2, ([usual = '', other = '']) => ({
    urls: [usual],
    canary: { instances: alike([other]), ...canary },
    ...upstream,
  }))
}

async function send(times: number, fields: readonly string[] = []): Promise<readonly number[]> {
  const statuses: number[] = []
  for (let i = 0; i < times; i += 1)
    statuses.push((await scene.send('GET /things/1', fields)).status)
  return statuses
}

test('the canary gets its percentage, spread out, and it is counted', async () => {
  const instances = await arrange({ weight: 25 })
  const before = (await scene.metric('gatehouse_upstream_canary_requests_total')) ?? 0
  await send(20)
  expect(countsOf(instances)).toEqual([15, 5])
  expect(await scene.metric('gatehouse_upstream_canary_requests_total')).toBe(before + 5)
})

test.each([
  [0, [4, 0]],
  [100, [0, 4]],
])('at %i percent it gets none, or all', async (weight, counts) => {
  const instances = await arrange({ weight })
  await send(4)
  expect(countsOf(instances)).toEqual(counts)
})

test('by a field, it gets the requests that have its value, and no others', async () => {
  const instances = await arrange({ header: { name: 'x-canary', value: 'yes' } })
  await send(2, ['X-Canary: yes'])
  await send(3, ['X-Canary: no'])
  await send(1)
  expect(countsOf(instances)).toEqual([4, 2])
  expect(instances[1]?.requests[0]?.headers['x-canary']).toBe('yes')
})

test('what fails there is sent again to the usual instances', async () => {
  const instances = await arrange({ weight: 100 }, { retries: {} })
  instances[1]?.behave(answers(503))
  expect(await send(3)).toEqual([200, 200, 200])
  expect(countsOf(instances)).toEqual([3, 3])
})

test('a canary that fails its checks gets nothing, and the usual instances all', async () => {
  const check = { path: '/healthz', intervalMs: 5, unhealthyThreshold: 1 }
  const instances = await arrange({ weight: 100 }, { healthCheck: check })
  instances[1]?.behave((incoming, outgoing) => {
    if (incoming.url === '/healthz') breaks(incoming, outgoing)
    else answers(200)(incoming, outgoing)
  })
  await expect.poll(() => scene.said('unhealthy').length, { timeout: 10_000 }).toBeGreaterThan(0)
  const served = () => instances[1]?.requests.filter(({ url }) => url !== '/healthz').length
  const before = served()
  expect(await send(3)).toEqual([200, 200, 200])
  expect(served()).toBe(before)
})
