import { openDirectory } from '../../src/directory/directory.ts'

// A process of its own: opens the directory in a folder, makes a key, prints it, and stays.

const silent = (): void => undefined
const directory = await openDirectory({
  folder: process.argv[2] ?? '',
  connections: 1,
  queryTimeoutMs: 1000,
  cache: { maxEntries: 10, maxAgeMs: 1000, staleMs: 1000, negativeMs: 1000 },
  log: { info: silent, warn: silent, error: silent },
})
const first = { organizationName: 'Example', userEmail: 'ada@example.com' }
const made = await directory.bootstrap(first, { id: 'test' })
process.stdout.write(`${JSON.stringify(made?.apiKey)}\n`)
setInterval(silent, 60_000)
