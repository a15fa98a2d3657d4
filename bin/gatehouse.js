#!/usr/bin/env node
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

await import('../src/main.ts')
