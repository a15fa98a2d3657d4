import fc from 'fast-check'
import { expect, test } from 'vitest'
import { accessLine } from '../../src/telemetry/access-line.ts'
import { createTimestamp } from '../../src/telemetry/timestamp.ts'

const time = '2026-01-02T03:04:05.678Z'

test('a line is the record as JSON, and no more than one line', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.double({ noDefaultInfinity: true, noNaN: true }),
    fc.boolean(),
  )
  const name = fc.stringMatching(/^[a-z][A-Za-z]{0,12}$/).filter((each) => each !== 'level')
  fc.assert(
    fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (record) => {
      const line = accessLine(time, record)
      expect(JSON.parse(line)).toEqual(
        JSON.parse(JSON.stringify({ level: 'info', time, ...record })),
      )
      expect(line.trimEnd().split(/[\n\r\u0085\u2028\u2029]/)).toHaveLength(1)
      expect(line.endsWith('}\n')).toBe(true)
    }),
  )
})

test('no caller’s text reaches a terminal as a command', () => {
  const line = accessLine(time, { userAgent: '\u001b[2J\u009b31m\u007f"' })
  expect(line).toContain('"userAgent":"\\u001b[2J\\u009b31m\\u007f\\""')
})

test('what is undefined is left out', () => {
  expect(accessLine(time, { group: undefined, status: 200 })).toBe(
    `{"level":"info","time":"${time}","status":200}\n`,
  )
})

test('the timestamp follows the clock', () => {
  let nowMs = Date.parse(time)
  const timestamp = createTimestamp(() => nowMs)
  expect([timestamp(), timestamp()]).toEqual([time, time])
  nowMs += 1
  expect(timestamp()).toBe('2026-01-02T03:04:05.679Z')
})
