import { expect, test } from 'vitest'
import { gatherKeyUses } from '../../src/directory/key-uses.ts'
import { until } from '../support/until.ts'
import { testOptions } from './opening.ts'

test('keys that are used are written once per interval, however often they are used', async () => {
  const written: (readonly string[])[] = []
  const write = (ids: readonly string[]): Promise<void> => Promise.resolve(void written.push(ids))
  const uses = gatherKeyUses(write, testOptions().options.log, 1)
  for (const id of ['A', 'B', 'A']) uses.touch(id)
  await until(() => written.length > 0)
  expect(written).toEqual([['A', 'B']])
  await uses.close()
  expect(written).toHaveLength(1)
})

test('what is in memory is written at the end, in statements of bounded size', async () => {
  const written: (readonly string[])[] = []
  const write = (ids: readonly string[]): Promise<void> => Promise.resolve(void written.push(ids))
  const uses = gatherKeyUses(write, testOptions().options.log)
  for (let n = 0; n < 2500; n++) uses.touch(`K${n}`)
  expect(written).toEqual([])
  await uses.close()
  expect(written.map((ids) => ids.length)).toEqual([1000, 1000, 500])
})

test('what could not be written is written later', async () => {
  const { lines, options } = testOptions()
  const written: (readonly string[])[] = []
  let attempts = 0
  const write = (ids: readonly string[]): Promise<void> => {
    attempts++
    if (attempts === 1) return Promise.reject(new Error('connection refused'))
    written.push(ids)
    return Promise.resolve()
  }
  const uses = gatherKeyUses(write, options.log, 1)
  uses.touch('A')
  await until(() => written.length > 0)
  await uses.close()
  expect(written).toEqual([['A']])
  expect(lines.map(({ level }) => level)).toEqual(['warn'])
})
