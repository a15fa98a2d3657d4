import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

/** Clients that bring their own dependencies along: `npm run test:clients` installs and runs them. */
export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, '../..'),
    include: ['test/clients/*.client.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    allowOnly: false,
  },
})
