import { expect, onTestFinished, test } from 'vitest'
import { createRevocations, type Revocations } from '../../src/directory/revocations.ts'
import { createSnapshot, type Snapshot } from '../../src/directory/snapshot.ts'
import { GatewayError } from '../../src/errors/gateway-error.ts'
import { until } from '../support/until.ts'
import { testOptions } from './opening.ts'

const away = new GatewayError('DIRECTORY_UNAVAILABLE')

const parts = {
  availability: {
    isDown: () => false,
    succeeded: () => undefined,
    failed: () => undefined,
    close: () => undefined,
  },
  now: () => performance.now(),
  log: testOptions().options.log,
}

/** A snapshot of what the test answers, reading by reading. */
function setUp(intervalMs = 1e9): {
  snapshot: Snapshot<string>
  readings: PromiseWithResolvers<string>[]
} {
  const readings: PromiseWithResolvers<string>[] = []
  const read = (): Promise<string> => {
    const reading = Promise.withResolvers<string>()
    readings.push(reading)
    return reading.promise
  }
  const snapshot = createSnapshot({ ...parts, what: 'a test', read, initial: '', intervalMs })
  onTestFinished(() => {
    const closing = snapshot.close()
    for (const { resolve } of readings) resolve('')
    return closing
  })
  return { snapshot, readings }
}

async function open({ snapshot, readings }: ReturnType<typeof setUp>): Promise<void> {
  const opening = snapshot.open()
  readings[0]?.resolve('first')
  await opening
}

test('a change that is told while a reading is under way is read by another one after it', async () => {
  const set = setUp()
  await open(set)
  void set.snapshot.refresh()
  await until(() => set.readings.length === 2)
  const told = [set.snapshot.refresh(), set.snapshot.refresh()]
  set.readings[1]?.resolve('before the change')
  await until(() => set.readings.length === 3)
  set.readings[2]?.resolve('after the change')
  await Promise.all(told)
  expect(set.snapshot.value()).toBe('after the change')
  expect(set.readings).toHaveLength(3)
})

test('what was read stays while it cannot be read, which is tried until it succeeds', async () => {
  const set = setUp()
  await open(set)
  const refreshing = set.snapshot.refresh()
  await until(() => set.readings.length === 2)
  set.readings[1]?.reject(away)
  await refreshing
  expect(set.snapshot.value()).toBe('first')
  await until(() => set.readings.length === 3)
  set.readings[2]?.resolve('second')
  await until(() => set.snapshot.value() === 'second')
})

test('it is read from time to time without being told of a change', async () => {
  const set = setUp(1)
  await open(set)
  await until(() => set.readings.length === 2)
  set.readings[1]?.resolve('second')
  await until(() => set.snapshot.value() === 'second')
})

test('where it cannot be read at first, it is not opened', async () => {
  const { snapshot, readings } = setUp()
  const opening = expect(snapshot.open()).rejects.toBe(away)
  readings[0]?.reject(away)
  await opening
})

/** The list of revoked tokens over a database whose answers the test gives, and a clock that it turns. */
function setUpRevocations(): {
  revocations: Revocations
  clock: { ms: number }
  readings: PromiseWithResolvers<readonly { jti: string }[]>[]
} {
  const clock = { ms: 0 }
  const readings: PromiseWithResolvers<readonly { jti: string }[]>[] = []
  const revocations = createRevocations({
    ...parts,
    now: () => clock.ms,
    limits: { maxEntries: 1, maxAgeMs: 1e9, staleMs: 600, negativeMs: 1 },
    session: {
      query: async ({ row }) => {
        const reading = Promise.withResolvers<readonly { jti: string }[]>()
        readings.push(reading)
        return (await reading.promise).map((answered) => row.parse(answered))
      },
    },
  })
  onTestFinished(() => revocations.close())
  return { revocations, clock, readings }
}

test('a token whose revocation is told while all are read stays revoked', async () => {
  const { revocations, readings } = setUpRevocations()
  const opening = revocations.open()
  revocations.told('told')
  expect(revocations.isTokenRevoked('told')).toBe(true)
  readings[0]?.resolve([{ jti: 'read' }])
  await opening
  for (const jti of ['told', 'read']) expect(revocations.isTokenRevoked(jti)).toBe(true)
})

test('a token that is revoked no longer, having expired, is forgotten', async () => {
  const { revocations, readings } = setUpRevocations()
  const opening = revocations.open()
  readings[0]?.resolve([{ jti: 'old' }])
  await opening
  const refreshing = revocations.refresh()
  await until(() => readings.length === 2)
  readings[1]?.resolve([])
  await refreshing
  expect(revocations.isTokenRevoked('old')).toBe(false)
})

test('whether a token is revoked is not guessed from a list that is too old', async () => {
  const { revocations, clock, readings } = setUpRevocations()
  const opening = revocations.open()
  readings[0]?.resolve([])
  await opening
  clock.ms = 600
  expect(revocations.isTokenRevoked('any')).toBe(false)
  clock.ms++
  expect(() => revocations.isTokenRevoked('any')).toThrow(
    expect.objectContaining({ code: 'DIRECTORY_UNAVAILABLE' }),
  )
})
