import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real servers start and stop in hooks; a frozen one must fail its test, not the run.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 2,
    // No module of ours keeps anything, and reading all of them for each file takes minutes.
    isolate: false,
    allowOnly: false,
  },
})
