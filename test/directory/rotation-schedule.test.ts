import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Directory } from '../../src/directory/directory.ts'
import { followRotationSchedule } from '../../src/directory/rotation-schedule.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { actor, openOnServer, testOptions } from './opening.ts'

const day = 86_400_000
const schedule = {
  algorithm: 'EdDSA',
  everyMs: 30 * day,
  minPublishedMs: day,
  keepPreviousMs: 3_600_000,
} as const

let postgres: TestPostgres

beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.stop())

/** Replicas on one database, whose clock can be moved on: what is stored becomes older by as much. */
async function replicas(count: number) {
  const url = await postgres.createDatabase()
  const all = await Promise.all(Array.from({ length: count }, () => openOnServer(url)))
  const [first] = all
  if (first === undefined) throw new Error('There is no replica')
  await first.keyRotation.ensure('EdDSA', actor)
  const byHand = new pg.Client(url)
  await byHand.connect()
  onTestFinished(() => byHand.end())
  const pass = (ms: number) =>
    byHand.query(
      `UPDATE signing_keys SET created_at = created_at - $1::float8 * interval '1 millisecond',
         current_since = current_since - $1::float8 * interval '1 millisecond',
         keep_until = keep_until - $1::float8 * interval '1 millisecond'`,
      [ms],
    )
  return { all, first, pass }
}

function rotateIfDue(all: readonly Directory[]): Promise<readonly boolean[]> {
  return Promise.all(all.map(({ keyRotation }) => keyRotation.rotateIfDue(schedule, actor)))
}

async function states(directory: Directory): Promise<Readonly<Record<string, string>>> {
  const listed = await directory.keyRotation.list()
  return Object.fromEntries(listed.map(({ kid, state }) => [kid, state]))
}

test('keys are rotated when the current one has signed for its time, by one of all replicas', async () => {
  const { all, first, pass } = await replicas(4)
  const [before] = [first.signingKeys()]
  await pass(30 * day - 60_000)
  expect(await rotateIfDue(all)).toEqual([false, false, false, false])
  await pass(60_000)
  expect((await rotateIfDue(all)).filter((did) => did)).toHaveLength(1)
  expect(await rotateIfDue(all)).toEqual([false, false, false, false])
  expect(await states(first)).toMatchObject({
    [before?.next?.kid ?? '']: 'current',
    [before?.current.kid ?? '']: 'previous',
  })
  expect(await first.keyRotation.list()).toHaveLength(3)
  // The others hear of it without asking.
  await until(() => all.every((each) => each.signingKeys()?.current.kid === before?.next?.kid))
})

test('a key does not sign before it was published for as long as others cache key sets', async () => {
  const { all, first, pass } = await replicas(2)
  await pass(40 * day)
  // By command, so that the next key is new while the schedule is long past.
  await first.keyRotation.rotate({ ...schedule, force: true }, actor)
  const current = first.signingKeys()?.current.kid
  const hurried = { ...schedule, everyMs: 0 }
  expect(await first.keyRotation.rotateIfDue(hurried, actor)).toBe(false)
  await pass(day - 60_000)
  expect(await first.keyRotation.rotateIfDue(hurried, actor)).toBe(false)
  await pass(60_000)
  expect(await first.keyRotation.rotateIfDue(hurried, actor)).toBe(true)
  expect(first.signingKeys()?.previous.map(({ kid }) => kid)).toContain(current)
  await Promise.all(all.map((each) => each.keyRotation.list()))
})

test('a previous key goes when its last token has expired, and not before', async () => {
  const { first, pass } = await replicas(1)
  const { lines, options } = testOptions()
  const clock = { ms: Date.now() }
  const followed = followRotationSchedule({
    keyRotation: first.keyRotation,
    schedule,
    log: options.log,
    now: () => clock.ms,
    intervalMs: 5,
  })
  onTestFinished(followed.close)
  const before = first.signingKeys()?.current.kid ?? ''
  await pass(30 * day)
  await until(async () => (await states(first))[before] === 'previous' && lines.length > 0)
  expect(lines.map(({ message }) => message)).toEqual([
    'the signing keys have been rotated, as scheduled',
  ])

  clock.ms += 2 * day
  await pass(3_500_000)
  await first.keyRotation.prune(actor)
  expect((await states(first))[before]).toBe('previous')
  await pass(200_000)
  await until(async () => !(before in (await states(first))))
  const events = await first.listAuditEvents(undefined, { limit: 100 })
  expect(events.find(({ action }) => action === 'signing-key.deleted')).toMatchObject({
    actorId: 'schedule',
    subject: { id: before },
  })
})

test('a schedule that cannot be kept is logged, and tried again', async () => {
  const { first, pass } = await replicas(1)
  const { lines, options } = testOptions()
  let isFailing = true
  const followed = followRotationSchedule({
    keyRotation: {
      ...first.keyRotation,
      list: () =>
        isFailing ? Promise.reject(new Error('no connection')) : first.keyRotation.list(),
    },
    schedule: undefined,
    log: options.log,
    now: Date.now,
    intervalMs: 5,
  })
  onTestFinished(followed.close)
  await until(() => lines.length > 1)
  expect(lines[0]?.message).toBe('signing keys could not be kept up; it is tried again')
  isFailing = false
  await pass(100 * day)
  const current = first.signingKeys()?.current.kid
  // Without a schedule nothing is rotated, however old it is.
  await until(async () => (await first.keyRotation.list()).length === 2)
  expect(first.signingKeys()?.current.kid).toBe(current)
})
