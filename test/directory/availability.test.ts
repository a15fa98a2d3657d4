import { expect, test } from 'vitest'
import { trackAvailability } from '../../src/directory/availability.ts'
import { until } from '../support/until.ts'
import { testOptions } from './opening.ts'

test('a database that does not answer is tried until it does, and each turn is logged once', async () => {
  const { lines, options } = testOptions()
  let attempts = 0
  const availability = trackAvailability(() => {
    attempts++
    return attempts < 3 ? Promise.reject(new Error('refused')) : Promise.resolve()
  }, options.log)
  expect(availability.isDown()).toBe(false)
  availability.failed(new Error('refused'))
  availability.failed(new Error('refused'))
  expect(availability.isDown()).toBe(true)
  await until(() => !availability.isDown())
  expect(attempts).toBe(3)
  expect(lines.map(({ level }) => level)).toEqual(['error', 'info'])
})

test('a look-up that succeeds ends the outage too', () => {
  const availability = trackAvailability(
    () => Promise.reject(new Error()),
    testOptions().options.log,
  )
  availability.failed(new Error('refused'))
  availability.succeeded()
  expect(availability.isDown()).toBe(false)
})

test('a closed one tries nothing any more', () => {
  const availability = trackAvailability(() => Promise.resolve(), testOptions().options.log)
  availability.close()
  availability.failed(new Error('closed'))
  expect(availability.isDown()).toBe(false)
})
