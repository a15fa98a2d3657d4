/** The part of vitest's JSON report that is counted. */
export type Report = {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly unknown[]
  }[]
}

/**
 * Sum a report up in one line, `N passed, N failed, N skipped`. A file that could not be loaded has
 * no tests to fail, so it counts as a failure of its own; so does a run without any test.
 */
export function summarize(report: Report | undefined): {
  readonly line: string
  readonly isGreen: boolean
} {
  if (report === undefined) return { line: '0 passed, 1 failed, 0 skipped', isGreen: false }
  const unloadable = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length
  const passed = report.numPassedTests
  const failed = report.numFailedTests + unloadable
  const skipped = report.numPendingTests + report.numTodoTests
  const isGreen = passed > 0 && failed === 0 && skipped === 0
  return { line: `${passed} passed, ${failed} failed, ${skipped} skipped`, isGreen }
}
