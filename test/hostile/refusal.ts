import { expect } from 'vitest'
import { statusesIn } from './scene.ts'

/**
 * Hold that a connection carried one refusal and nothing else: an envelope, and the connection's end.
 *
 * @returns its status
 */
export function expectRefusal(text: string, attack: string): number {
  const told = JSON.stringify(attack.slice(0, 300))
  expect(statusesIn(text), told).toHaveLength(1)
  const [head = '', body = ''] = text.split('\r\n\r\n')
  expect(head, told).toMatch(/^connection: close$/im)
  expect(head, told).toMatch(/^cache-control: no-store$/im)
  expect(JSON.parse(body), told).toMatchObject({ error: { code: expect.any(String) as unknown } })
  return statusesIn(text)[0] ?? 0
}
