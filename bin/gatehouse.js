#!/usr/bin/env node
import { fileURLToPath } from 'node:url'

// Plain JavaScript that any Node can read: an older one could not even parse what comes next.
const required = [24, 18, 1]
const running = process.versions.node.split('.').map(Number)
const difference = required.map((part, index) => running[index] - part).find((part) => part !== 0)

if (difference < 0) {
  process.stderr.write(
    `Gatehouse needs Node.js ${required.join('.')} or newer; this is ${process.versions.node}. Run "npm ci", which brings one, and start it by "npm start".\n`,
  )
  process.exit(1)
}

// A young generation in which requests end before they are collected, and no collector threads that
// wait for each other on a core that is busy: see docs/performance.md. V8 takes these at its start
// only, so the process replaces itself, under the same id. Whoever sets sizes of their own keeps them.
const heapOptions = [
  '--single-threaded-gc',
  '--max-semi-space-size=32',
  '--min-semi-space-size=32',
  '--heap-growing-percent=300',
]
const given = `${process.execArgv.join(' ')} ${process.env.NODE_OPTIONS ?? ''}`
const { keepPlainSources, usePlainSources } = await import('./plain-sources.js')
if (
  process.argv[2] === 'serve' &&
  process.platform !== 'win32' &&
  !given.includes('semi-space-size')
) {
  keepPlainSources()
  process.execve(process.execPath, [
    process.execPath,
    ...heapOptions,
    ...process.execArgv,
    ...process.argv.slice(1),
  ])
}

// Compiled code of earlier starts, where the folder can be written: half the time and memory of a start.
const { enableCompileCache } = await import('node:module')
enableCompileCache(fileURLToPath(new URL('../.cache/compiled', import.meta.url)))
const letGo = process.argv[2] === 'serve' ? usePlainSources() : undefined
await import('../src/main.ts')
letGo?.()
