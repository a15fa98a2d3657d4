import { expect, test } from 'vitest'
import { splitMessages } from '../../bench/prove/notification-cut.ts'

function message(kind: string, body: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(4 + body.length)
  return Buffer.concat([Buffer.from(kind), length, Buffer.from(body)])
}

test.each([1, 2, 5, 7, 1_000])('messages are told apart in pieces of %i bytes', (size) => {
  const sent = [message('R', 'auth'), message('A', 'notice'), message('Z', ''), message('A', 'x')]
  const whole = Buffer.concat(sent)
  const seen: string[] = []
  const take = splitMessages((each) => seen.push(each.toString('latin1')))
  for (let at = 0; at < whole.length; at += size) take(whole.subarray(at, at + size))
  expect(seen).toEqual(sent.map((each) => each.toString('latin1')))
})
