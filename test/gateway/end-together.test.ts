import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { endTogether } from '../../src/gateway/end-together.ts'
import type { Outgoing } from '../../src/gateway/message.ts'

/** A response that notes when it is ended, and with what. */
function response(name: string, ended: string[], destroyed = false): Outgoing {
  const noted = { destroyed, end: (body: string) => ended.push(`${name}: ${body}`) }
  return noted as unknown as Outgoing
}

test('answers of one turn end together, in order, when the turn is over', async () => {
  const ended: string[] = []
  endTogether(response('first', ended), 'a')
  await Promise.resolve()
  endTogether(response('second', ended), 'b')
  await new Promise<void>((resolve) => {
    process.nextTick(resolve)
  })
  expect(ended).toEqual([])
  await turn()
  expect(ended).toEqual(['first: a', 'second: b'])
})

test('an answer whose client has gone within the turn is left alone, and the others are not', async () => {
  const ended: string[] = []
  endTogether(response('gone', ended, true), 'a')
  endTogether(response('there', ended), 'b')
  await turn()
  expect(ended).toEqual(['there: b'])
})

test('an answer that is made while others end waits for the next turn', async () => {
  const ended: string[] = []
  const last = response('last', ended)
  const first = {
    destroyed: false,
    end(body: string) {
      ended.push(`first: ${body}`)
      endTogether(last, 'b')
    },
  } as unknown as Outgoing
  endTogether(first, 'a')
  await turn()
  expect(ended).toEqual(['first: a'])
  await turn()
  expect(ended).toEqual(['first: a', 'last: b'])
})
