import { expect, test } from 'vitest'
import { firstRunMessage } from '../../src/cli/first-run.ts'
import { table } from '../../src/cli/table.ts'

test('a table is as wide as its widest cells, with nothing at the ends of lines', () => {
  const rows = [
    ['GET', '/a', ''],
    ['DELETE', '/a/{id}', 'x'],
  ]
  expect(table(['METHOD', 'PATH', 'NOTE'], rows)).toBe(
    ['METHOD  PATH     NOTE', 'GET     /a', 'DELETE  /a/{id}  x', ''].join('\n'),
  )
})

test('a table without rows is its headings', () => {
  expect(table(['A', 'B'], [])).toBe('A  B\n')
})

test('the first start prints the secret, and calls that a shell takes as they are', () => {
  const message = firstRunMessage({ origin: 'http://[::1]:8080', keyId: 'K', secret: 's-1' })
  const commands = message.split('\n').filter((line) => /^ {2}(?:curl|for)/.test(line))
  expect(commands.map((line) => line.trim())).toEqual([
    "curl -i -u 'K:s-1' http://[::1]:8080/demo/v1/hello",
    'curl -i http://[::1]:8080/demo/v1/hello',
    expect.stringMatching(
      /^for i in .*-u 'K:s-1' http:\/\/\[::1\]:8080\/trial\/demo\/v1\/hello; done$/,
    ),
  ])
  expect(message).toContain('secret  s-1\n')
})
