import { expect, test } from 'vitest'
import { runCommand } from '../support/gateway-process.ts'

test('an older Node.js is told in one line which one is needed, and by what it comes', async () => {
  const versions = `Object.defineProperty(process, 'versions', { value: { node: '20.19.4' } })`
  const nodeOptions = ['--import', `data:text/javascript,${encodeURIComponent(versions)}`]
  const { exitCode, stdout, stderr } = await runCommand(['serve'], { nodeOptions })
  expect(exitCode).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).toMatch(/^Gatehouse needs Node\.js 24\.18\.1 .* this is 20\.19\.4\. .*npm ci.*\n$/)
})
