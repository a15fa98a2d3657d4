import { expect, test } from 'vitest'
import { until } from '../../support/until.ts'
import { answers, breaks } from './answers.ts'
import { alike, countsOf, useScene } from './scene.ts'

const scene = useScene()

const hour = 3_600_000

async function statusesOf(times: number): Promise<readonly number[]> {
  const statuses: number[] = []
  for (let i = 0; i < times; i += 1) statuses.push((await scene.send('POST /things/1')).status)
  return statuses
}

function arrange(circuitBreaker: object) {
  return scene.arrange(1, (urls) => ({
    instances: alike(urls),
    circuitBreaker: { failurePercent: 50, lastRequests: 4, openMs: hour, ...circuitBreaker },
  }))
}

function opened(): readonly unknown[] {
  return scene.said('circuit').filter(({ circuit }) => circuit === 'open')
}

test.each([
  ['breaks connections', breaks, 502],
  ['answers 503', answers(503), 503],
])('an upstream that %s is asked no more: 503 with Retry-After', async (_, behave, status) => {
  const [instance] = await arrange({})
  instance?.behave(behave)
  const refusedBefore =
    (await scene.metric('gatehouse_upstream_refused_total', { reason: 'circuit_open' })) ?? 0
  expect(await statusesOf(4)).toEqual([status, status, status, status])
  expect(await scene.metric('gatehouse_upstream_circuit_open')).toBe(1)
  const answer = await scene.send('GET /things/1')
  expect([answer.status, answer.field('Retry-After')]).toEqual([503, '3600'])
  expect(answer.json()).toMatchObject({ status: '503', error: { code: 'SERVICE_UNAVAILABLE' } })
  expect(instance?.requests).toHaveLength(4)
  expect(opened()).toEqual([expect.objectContaining({ group: 'things/v1', openMs: hour })])
  const refused = { reason: 'circuit_open' }
  expect(await scene.metric('gatehouse_upstream_refused_total', refused)).toBe(refusedBefore + 1)
})

test('as many failures as answers leave it closed, and so do answers that are errors', async () => {
  const [instance] = await arrange({})
  let request = 0
  instance?.behave((incoming, outgoing) => {
    request += 1
    answers(request % 2 === 0 ? 500 : 503)(incoming, outgoing)
  })
  await statusesOf(12)
  expect(countsOf(instance === undefined ? [] : [instance])).toEqual([12])
})

test('clients that go away tell nothing of it', async () => {
  const [instance] = await arrange({ lastRequests: 2, failurePercent: 1 })
  instance?.behave(() => undefined)
  for (let i = 0; i < 4; i += 1) await scene.goAway(() => instance?.inFlight() === 1)
  instance?.behave(undefined)
  expect(await statusesOf(2)).toEqual([200, 200])
})

test('one request tries, all others are refused meanwhile, and its answer closes the circuit', async () => {
  const [instance] = await arrange({ openMs: 50 })
  instance?.behave(breaks)
  await statusesOf(4)
  let answer: (() => void) | undefined
  instance?.behave((_incoming, outgoing) => {
    answer = () => outgoing.end('well again')
  })
  let trying: Promise<{ readonly status: number }> | undefined
  await until(async () => {
    trying = scene.send('GET /things/1')
    await Promise.race([trying, until(() => answer !== undefined)])
    return answer !== undefined
  })
  const before = instance?.requests.length
  expect(await statusesOf(5)).toEqual([503, 503, 503, 503, 503])
  expect(instance?.requests.length).toBe(before)
  instance?.behave(undefined)
  answer?.()
  expect((await trying)?.status).toBe(200)
  expect(await statusesOf(3)).toEqual([200, 200, 200])
  expect(scene.said('circuit').at(-1)).toMatchObject({ circuit: 'closed' })
  expect(await scene.metric('gatehouse_upstream_circuit_open')).toBe(0)
})

test('where the one that tries fails, it is open for as long again', async () => {
  const [instance] = await arrange({ openMs: 30 })
  instance?.behave(breaks)
  await statusesOf(4)
  await until(async () => {
    await statusesOf(1)
    return opened().length >= 3
  })
  expect(instance?.requests.length).toBe(4 + opened().length - 1)
})
