import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { WindowLimit } from '../../src/limits/applicable-limits.ts'
import { createExhaustedWindows } from '../../src/limits/exhausted-windows.ts'
import { isAdmitted, limitClass, openAdmission, shareRedis, times, verdictOf } from './fixtures.ts'

const shared = shareRedis()

const limits = limitClass({
  user: { window: { requests: 2, windowMs: 60_000 }, concurrent: 1 },
  organization: { window: { requests: 4, windowMs: 60_000 } },
})
const at = (user: string) => ({ organizationId: 'o-1', principalId: user, limitClass: limits })

it('once a window is exhausted, refusing takes no call and no promise', async () => {
  const admission = openAdmission(shared.redis)
  for (let i = 0; i < 2; i++) {
    const decided = await admission.admit(at('u-1'))
    if (isAdmitted(decided)) decided.permit.release()
  }
  const before = shared.redis.calls.length
  for (let i = 0; i < 100; i++) {
    const decided = admission.admit(at('u-1'))
    if (decided instanceof Promise) throw new Error('Redis was asked')
    expect(verdictOf(decided)).toBe('user rate')
  }
  expect(shared.redis.calls.length).toBe(before)
  expect(admission.health().decisions).toMatchObject({ refused: 100, remembered: 100 })
  await admission.close()
})

it('an exhausted organization is remembered for all of its users, an exhausted user for no other', async () => {
  const admission = openAdmission(shared.redis)
  const ask = async (user: string): Promise<string> => {
    const decided = await admission.admit(at(user))
    if (isAdmitted(decided)) decided.permit.release()
    return verdictOf(decided)
  }
  for (const user of ['u-1', 'u-1', 'u-1']) await ask(user)
  expect(await ask('u-2')).toBe('admitted')
  expect(await ask('u-3')).toBe('admitted')
  expect(verdictOf(await admission.admit(at('u-4')))).toBe('organization rate')
  expect(admission.admit(at('u-5'))).not.toBeInstanceOf(Promise)
  await admission.close()
})

it('a refusal for want of a slot is not remembered', async () => {
  const admission = openAdmission(shared.redis)
  const first = await admission.admit(at('u-1'))
  expect(verdictOf(await admission.admit(at('u-1')))).toBe('user concurrency')
  if (isAdmitted(first)) first.permit.release()
  expect(verdictOf(await admission.admit(at('u-1')))).toBe('admitted')
})

it('whoever waits as long as told is admitted', async () => {
  const brief = limitClass({ user: { window: { requests: 1, windowMs: 1_000 } } })
  const admission = openAdmission(shared.redis)
  await times(4, async (i) => {
    const subject = { organizationId: 'o-1', principalId: `u-${i}`, limitClass: brief }
    await pause(150 * i)
    await admission.admit(subject)
    const refused = await admission.admit(subject)
    if (refused.kind !== 'refused') throw new Error(verdictOf(refused))
    await pause(refused.retryAfterSeconds * 1_000)
    expect(verdictOf(await admission.admit(subject))).toBe('admitted')
  })
})

const anyWindow: WindowLimit = {
  scope: 'user',
  name: 'any',
  kind: 'fixed',
  key: 'any',
  requests: 1,
  windowMs: 1,
  whenUnavailable: 'local',
  warnAtPercent: [],
}

function asked(...windows: readonly WindowLimit[]) {
  return { windows, cost: 1 }
}

it('a memory ends before the window does, and is renewed at the latest after ten seconds', () => {
  let now = 0
  const exhausted = createExhaustedWindows(() => now)
  const window = (key: string) => ({ ...anyWindow, key }) as const
  const short = window('short')
  const long = window('long')
  const isKnown = (each: typeof short): boolean => exhausted.among(asked(each)).length > 0

  // The short window ends somewhere between 1,010 and 1,030.
  const decided = { askedAtMs: 10, answeredAtMs: 30 }
  now = 30
  exhausted.remember(asked(short), [{ remaining: 0, msToReset: 1_000 }], decided)
  exhausted.remember(asked(long), [{ remaining: 0, msToReset: 86_400_000 }], decided)
  expect(exhausted.among(asked(short, long)).map(({ msToReset }) => msToReset)).toEqual([
    1_000, 86_400_000,
  ])
  now = 1_007
  expect(isKnown(short)).toBe(true)
  now = 1_009
  expect(isKnown(short)).toBe(false)
  now = 10_009
  expect(isKnown(long)).toBe(true)
  now = 10_010
  expect(isKnown(long)).toBe(false)
})

it('the memory is bounded', () => {
  const exhausted = createExhaustedWindows(() => 0)
  const window = (i: number) => ({ ...anyWindow, key: `k-${i}` }) as const
  const decided = { askedAtMs: 0, answeredAtMs: 0 }
  for (let i = 0; i < 100_001; i++)
    exhausted.remember(asked(window(i)), [{ remaining: 0, msToReset: 60_000 }], decided)
  expect(exhausted.among(asked(window(0)))).toEqual([])
  expect(exhausted.among(asked(window(1)))).toHaveLength(1)
})
