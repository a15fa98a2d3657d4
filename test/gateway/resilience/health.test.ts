import { expect, test } from 'vitest'
import { until } from '../../support/until.ts'
import { answers, breaks } from './answers.ts'
import { alike, countsOf, useScene } from './scene.ts'

const scene = useScene()

const hour = 3_600_000

async function sendTimes(times: number): Promise<readonly number[]> {
  const statuses: number[] = []
  for (let i = 0; i < times; i += 1) statuses.push((await scene.send('POST /things/1')).status)
  return statuses
}

function available(url = ''): Promise<number | undefined> {
  return scene.metric('gatehouse_upstream_instance_available', { instance: url })
}

const ejected = { consecutiveFailures: 3, baseEjectionMs: hour, maxEjectionMs: hour }

test.each([
  ['breaks connections', breaks, 502],
  ['answers 503', answers(503), 503],
])('an instance that %s is ejected after so many failures in a row', async (_, behave, status) => {
  const [good, bad] = await scene.arrange(2, (urls) => ({
    instances: alike(urls),
    outlierDetection: ejected,
  }))
  bad?.behave(behave)
  const before = (await scene.metric('gatehouse_upstream_ejections_total')) ?? 0
  const statuses = await sendTimes(12)
  expect(statuses.filter((each) => each === status)).toHaveLength(3)
  expect([good, bad].map((one) => one?.requests.length)).toEqual([9, 3])
  expect(await available(bad?.url)).toBe(0)
  expect(await available(good?.url)).toBe(1)
  expect(await scene.metric('gatehouse_upstream_ejections_total')).toBe(before + 1)
  expect(scene.said('ejected')).toEqual([
    expect.objectContaining({ group: 'things/v1', ejected: bad?.url, failures: 3 }),
  ])
})

test('an answer between failures keeps an instance, and so does whatever its caller did wrong', async () => {
  const instances = await scene.arrange(2, (urls) => ({
    instances: alike(urls),
    outlierDetection: { ...ejected, consecutiveFailures: 2 },
  }))
  let request = 0
  instances[1]?.behave((incoming, outgoing) => {
    request += 1
    const behave = request % 2 === 1 ? breaks : answers(request % 4 === 0 ? 500 : 404)
    behave(incoming, outgoing)
  })
  await sendTimes(12)
  expect(countsOf(instances)).toEqual([6, 6])
  expect(scene.said('ejected')).toEqual([])
})

test('clients that go away eject nobody', async () => {
  const instances = await scene.arrange(2, (urls) => ({
    instances: alike(urls),
    outlierDetection: { ...ejected, consecutiveFailures: 1 },
  }))
  for (const instance of instances) instance.behave(() => undefined)
  for (let i = 1; i <= 4; i += 1)
    await scene.goAway(() => countsOf(instances).reduce((sum, count) => sum + count) === i)
  expect(scene.said('ejected')).toEqual([])
})

test('never more than the configured share is ejected, whatever fails', async () => {
  const instances = await scene.arrange(4, (urls) => ({
    instances: alike(urls),
    outlierDetection: { ...ejected, consecutiveFailures: 1, maxEjectedPercent: 50 },
  }))
  for (const instance of instances) instance.behave(breaks)
  await sendTimes(20)
  expect(scene.said('ejected')).toHaveLength(2)
  expect(countsOf(instances).filter((count) => count > 1)).toHaveLength(2)
})

test('the only instance is never ejected', async () => {
  const instances = await scene.arrange(1, (urls) => ({
    instances: alike(urls),
    outlierDetection: { ...ejected, consecutiveFailures: 1 },
  }))
  instances[0]?.behave(breaks)
  expect(await sendTimes(3)).toEqual([502, 502, 502])
  instances[0]?.behave(undefined)
  expect(await sendTimes(1)).toEqual([200])
})

test('each ejection after the other is twice as long, up to the bound; an answer ends the row', async () => {
  const instances = await scene.arrange(2, (urls) => ({
    instances: alike(urls),
    outlierDetection: { consecutiveFailures: 1, baseEjectionMs: 10, maxEjectionMs: 35 },
  }))
  const lengths = () => scene.said('ejected').map(({ ejectedForMs }) => ejectedForMs)
  instances[1]?.behave(breaks)
  await until(async () => {
    await sendTimes(2)
    return lengths().length >= 4
  })
  expect(lengths().slice(0, 4)).toEqual([10, 20, 35, 35])
  instances[1]?.behave(undefined)
  await until(async () => {
    await sendTimes(2)
    return scene.said('returned').length === 1
  })
  expect(await available(instances[1]?.url)).toBe(1)
  instances[1]?.behave(breaks)
  const before = lengths().length
  await until(async () => {
    await sendTimes(2)
    return lengths().length > before
  })
  expect(lengths()[before]).toBe(10)
})

const checked = {
  ...{ path: '/healthz', intervalMs: 5, timeoutMs: 1_000 },
  ...{ healthyThreshold: 2, unhealthyThreshold: 2 },
}

/** Requests that are no checks. */
function served(requests: readonly { readonly url: string }[] = []): number {
  return requests.filter(({ url }) => url !== '/healthz').length
}

test('an instance that fails its checks gets nothing, and comes back when it passes them', async () => {
  const [good, bad] = await scene.arrange(2, (urls) => ({
    instances: alike(urls),
    healthCheck: checked,
  }))
  bad?.behave((incoming, outgoing) => {
    answers(incoming.url === '/healthz' ? 503 : 200)(incoming, outgoing)
  })
  await until(() => scene.said('unhealthy').length === 1)
  expect(scene.said('unhealthy')[0]).toMatchObject({ unhealthy: bad?.url, problem: 'status 503' })
  expect(await available(bad?.url)).toBe(0)
  const before = served(bad?.requests)
  expect(await sendTimes(4)).toEqual([200, 200, 200, 200])
  expect([served(good?.requests), served(bad?.requests)]).toEqual([4, before])
  bad?.behave(undefined)
  await until(() => scene.said('healthy').length === 1)
  await sendTimes(4)
  expect(served(bad?.requests)).toBe(before + 2)
  const failed = await scene.metric('gatehouse_upstream_health_checks_total', { outcome: 'failed' })
  expect(failed).toBeGreaterThanOrEqual(2)
})

test('where every instance fails its checks, all of them get requests', async () => {
  const instances = await scene.arrange(2, (urls) => ({
    instances: alike(urls),
    healthCheck: checked,
  }))
  for (const instance of instances)
    instance.behave((incoming, outgoing) => {
      answers(incoming.url === '/healthz' ? 500 : 200)(incoming, outgoing)
    })
  await until(() => scene.said('unhealthy').length === 2)
  expect(await sendTimes(4)).toEqual([200, 200, 200, 200])
  expect(instances.map(({ requests }) => served(requests))).toEqual([2, 2])
})

test('a check that hangs fails at its deadline, and the next one is made', async () => {
  const [instance] = await scene.arrange(1, (urls) => ({
    instances: alike(urls),
    healthCheck: { ...checked, timeoutMs: 20 },
  }))
  instance?.behave(() => undefined)
  await until(() => scene.said('unhealthy').length === 1)
  expect(instance?.inFlight()).toBeLessThanOrEqual(1)
})

test('checks end with the configuration that asked for them, and leave no connection', async () => {
  const first = await scene.arrange(2, (urls) => ({ instances: alike(urls), healthCheck: checked }))
  await until(() => first.every(({ requests }) => requests.length >= 2))
  await scene.arrange(1, (urls) => ({ instances: alike(urls) }))
  await until(() => first.every((instance) => instance.connections() === 0))
  const counts = countsOf(first)
  const [second] = await scene.arrange(1, (urls) => ({
    instances: alike(urls),
    healthCheck: checked,
  }))
  await until(() => (second?.requests.length ?? 0) >= 3)
  expect(countsOf(first)).toEqual(counts)
})

test('a configuration that is refused begins no checks, and those of the one before go on', async () => {
  const [serving] = await scene.arrange(1, (urls) => ({
    instances: alike(urls),
    healthCheck: checked,
  }))
  const refused = await scene.arrange(
    1,
    (urls) => ({ instances: alike(urls), healthCheck: checked }),
    { crn: '{' },
  )
  expect(scene.said('problem')).toHaveLength(1)
  const before = serving?.requests.length ?? 0
  await until(() => (serving?.requests.length ?? 0) > before + 2)
  expect(countsOf(refused)).toEqual([0])
})
