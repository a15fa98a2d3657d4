import { describe, expect, test } from 'vitest'
import {
  createRecordCache,
  type CacheLimits,
  type RecordCache,
} from '../../src/directory/record-cache.ts'
import type { KeyRecord } from '../../src/directory/key-record.ts'
import { GatewayError } from '../../src/errors/gateway-error.ts'

const limits: CacheLimits = { maxEntries: 3, maxAgeMs: 60, staleMs: 600, negativeMs: 10 }

function record(id: string): KeyRecord {
  return {
    id,
    secrets: [],
    resource: { kind: 'cloud' },
    owner: { kind: 'user', id: 'u-1', organizationId: 'o-1' },
    state: 'active',
    expiresAtMs: undefined,
  }
}

/** A cache over a database whose answers the test gives one by one, and a clock that it turns. */
function setUp(): {
  cache: RecordCache<KeyRecord>
  clock: { ms: number }
  /** Ids that were asked for, in order. */
  asked: string[]
  /** Give the answer to the oldest look-up that waits. */
  answer: (record: KeyRecord | undefined) => Promise<void>
  /** Have the oldest look-up that waits fail. */
  fail: (error?: Error) => Promise<void>
  isDown: () => boolean
} {
  const clock = { ms: 0 }
  const asked: string[] = []
  const waiting: PromiseWithResolvers<KeyRecord | undefined>[] = []
  let isDown = false
  const cache = createRecordCache({
    lookUp: (id) => {
      asked.push(id)
      const look = Promise.withResolvers<KeyRecord | undefined>()
      waiting.push(look)
      return look.promise
    },
    availability: {
      isDown: () => isDown,
      succeeded: () => {
        isDown = false
      },
      failed: () => {
        isDown = true
      },
      close: () => undefined,
    },
    limits,
    now: () => clock.ms,
  })
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return {
    cache,
    clock,
    asked,
    answer: async (found) => {
      waiting.shift()?.resolve(found)
      await settled()
    },
    fail: async (error = new GatewayError('DIRECTORY_UNAVAILABLE')) => {
      waiting.shift()?.reject(error)
      await settled()
    },
    isDown: () => isDown,
  }
}

/** Fill the cache with keys. */
async function remember(
  { cache, answer }: ReturnType<typeof setUp>,
  ...ids: string[]
): Promise<void> {
  for (const id of ids) {
    const found = cache.find(id)
    await answer(record(id))
    await found
  }
}

const unavailable = { code: 'DIRECTORY_UNAVAILABLE' }

describe('a record that is cached', () => {
  test('is answered without a promise and without asking', async () => {
    const set = setUp()
    await remember(set, 'A')
    expect(set.cache.find('A')).toEqual(record('A'))
    expect(set.asked).toEqual(['A'])
  })

  test('is read again after its age', async () => {
    const set = setUp()
    await remember(set, 'A')
    set.clock.ms = limits.maxAgeMs
    expect(set.cache.find('A')).toEqual(record('A'))
    set.clock.ms++
    expect(set.cache.find('A')).toBeInstanceOf(Promise)
    await set.answer(undefined)
    expect(set.cache.find('A')).toBeUndefined()
  })

  test('is the same object after it was read again, where nothing has changed', async () => {
    const set = setUp()
    await remember(set, 'A')
    const before = set.cache.find('A')
    set.clock.ms = limits.maxAgeMs + 1
    const again = set.cache.find('A')
    await set.answer(record('A'))
    expect(await again).toBe(before)
    expect(set.cache.find('A')).toBe(before)
    set.clock.ms = 2 * limits.maxAgeMs + 2
    void set.cache.find('A')
    await set.answer({ ...record('A'), state: 'revoked' })
    expect(set.cache.find('A')).toMatchObject({ state: 'revoked' })
  })

  test('counts its age from when it was asked for, not from when the answer came', async () => {
    const set = setUp()
    void set.cache.find('A')
    set.clock.ms = limits.maxAgeMs + 1
    await set.answer(record('A'))
    expect(set.cache.find('A')).toBeInstanceOf(Promise)
  })

  test('is dropped as the least recently used when there are too many', async () => {
    const set = setUp()
    await remember(set, 'A', 'B', 'C')
    void set.cache.find('A')
    await remember(set, 'D')
    for (const id of ['A', 'C', 'D']) expect(set.cache.find(id)).toEqual(record(id))
    expect(set.cache.find('B')).toBeInstanceOf(Promise)
  })

  test('is not driven out by ids that do not exist', async () => {
    const set = setUp()
    await remember(set, 'A')
    for (const id of ['1', '2', '3', '4', '5']) {
      void set.cache.find(id)
      await set.answer(undefined)
    }
    expect(set.cache.find('A')).toEqual(record('A'))
    expect(set.cache.find('5')).toBeUndefined()
    expect(set.cache.find('1')).toBeInstanceOf(Promise)
  })
})

test('an id that does not exist is remembered for a moment only', async () => {
  const set = setUp()
  const found = set.cache.find('A')
  await set.answer(undefined)
  expect(await found).toBeUndefined()
  set.clock.ms = limits.negativeMs
  expect(set.cache.find('A')).toBeUndefined()
  set.clock.ms++
  void set.cache.find('A')
  expect(set.asked).toEqual(['A', 'A'])
})

test('look-ups of one id at the same time are one', async () => {
  const set = setUp()
  const first = set.cache.find('A')
  expect(set.cache.find('A')).toBe(first)
  await set.answer(record('A'))
  expect(await first).toEqual(record('A'))
  expect(set.asked).toEqual(['A'])
})

test('more look-ups than can be borne are refused, and not queued', async () => {
  const set = setUp()
  await remember(set, 'KNOWN')
  set.cache.distrust()
  for (let n = 0; n < 1000; n++) void set.cache.find(`K${n}`)
  expect(() => set.cache.find('ONE-MORE')).toThrow(expect.objectContaining(unavailable))
  expect(set.cache.find('K5')).toBeInstanceOf(Promise)
  expect(set.cache.find('KNOWN')).toEqual(record('KNOWN'))
})

describe('a record that has changed', () => {
  test('is read again at once', async () => {
    const set = setUp()
    await remember(set, 'A', 'B')
    set.cache.forget('A')
    expect(set.cache.find('B')).toEqual(record('B'))
    expect(set.cache.find('A')).toBeInstanceOf(Promise)
  })

  test('is not cached by a look-up that began before the change', async () => {
    const set = setUp()
    const before = set.cache.find('A')
    set.cache.forget('A')
    await set.answer(record('A'))
    expect(await before).toEqual(record('A'))
    expect(set.cache.find('A')).toBeInstanceOf(Promise)
    expect(set.asked).toEqual(['A', 'A'])
  })

  test('is not answered by joining a look-up that began before the change', async () => {
    const set = setUp()
    const before = set.cache.find('A')
    set.cache.forget('A')
    const after = set.cache.find('A')
    await set.answer(record('A'))
    await set.answer(undefined)
    expect(await before).toEqual(record('A'))
    expect(await after).toBeUndefined()
    expect(set.cache.find('A')).toBeUndefined()
  })

  test('keeps the new record when the look-up from before the change ends last', async () => {
    const set = setUp()
    const slow = Promise.withResolvers<KeyRecord | undefined>()
    const answers = [slow.promise, Promise.resolve(record('A'))]
    const cache = createRecordCache({
      lookUp: () => answers.shift() ?? Promise.reject(new Error('asked too often')),
      availability: {
        isDown: () => false,
        succeeded: () => undefined,
        failed: () => undefined,
        close: () => undefined,
      },
      limits,
      now: () => set.clock.ms,
    })
    const before = cache.find('A')
    cache.forget('A')
    await cache.find('A')
    slow.resolve(undefined)
    expect(await before).toBeUndefined()
    expect(cache.find('A')).toEqual(record('A'))
  })

  test('is not known from before in an outage', async () => {
    const set = setUp()
    await remember(set, 'A')
    set.cache.forget('A')
    const refused = expect(set.cache.find('A')).rejects.toMatchObject(unavailable)
    await set.fail()
    await refused
    expect(() => set.cache.find('A')).toThrow(expect.objectContaining(unavailable))
  })

  test('that was new is found although its id was just looked for in vain', async () => {
    const set = setUp()
    void set.cache.find('A')
    await set.answer(undefined)
    set.cache.forget('A')
    expect(set.cache.find('A')).toBeInstanceOf(Promise)
  })
})

describe('when any record may have changed', () => {
  test('each is read again before it is used again', async () => {
    const set = setUp()
    await remember(set, 'A', 'B')
    set.cache.distrust()
    expect(set.cache.find('A')).toBeInstanceOf(Promise)
    expect(set.cache.find('B')).toBeInstanceOf(Promise)
    await set.answer(undefined)
    await set.answer(record('B'))
    expect(set.cache.find('A')).toBeUndefined()
    expect(set.cache.find('B')).toEqual(record('B'))
  })

  test('look-ups that began before are neither joined nor cached', async () => {
    const set = setUp()
    void set.cache.find('A')
    set.cache.distrust()
    const after = set.cache.find('A')
    await set.answer(record('A'))
    expect(set.cache.find('A')).toBe(after)
    await set.answer(undefined)
    expect(await after).toBeUndefined()
    expect(set.cache.find('A')).toBeUndefined()
  })

  test('ids that did not exist are looked for again', async () => {
    const set = setUp()
    void set.cache.find('A')
    await set.answer(undefined)
    set.cache.distrust()
    expect(set.cache.find('A')).toBeInstanceOf(Promise)
  })
})

describe('while the database is away', () => {
  test('a known record is answered, without waiting, up to the stated age', async () => {
    const set = setUp()
    await remember(set, 'A')
    set.cache.distrust()
    const first = set.cache.find('A')
    await set.fail()
    expect(await first).toEqual(record('A'))
    expect(set.isDown()).toBe(true)
    set.clock.ms = limits.staleMs
    expect(set.cache.find('A')).toEqual(record('A'))
    set.clock.ms++
    expect(() => set.cache.find('A')).toThrow(expect.objectContaining(unavailable))
  })

  test('an unknown id is unavailable and never unknown', async () => {
    const set = setUp()
    const refused = expect(set.cache.find('A')).rejects.toMatchObject(unavailable)
    await set.fail()
    await refused
    expect(() => set.cache.find('A')).toThrow(expect.objectContaining(unavailable))
  })

  test('an id that was found not to exist is unavailable once that is old', async () => {
    const set = setUp()
    void set.cache.find('A')
    await set.answer(undefined)
    set.clock.ms = limits.negativeMs + 1
    const refused = expect(set.cache.find('A')).rejects.toMatchObject(unavailable)
    await set.fail()
    await refused
  })
})

test('a bug about one record is no outage for the others', async () => {
  const set = setUp()
  const refused = expect(set.cache.find('A')).rejects.toThrow('not as expected')
  await set.fail(new TypeError('not as expected'))
  await refused
  expect(set.isDown()).toBe(false)
  expect(set.cache.find('A')).toBeInstanceOf(Promise)
})
