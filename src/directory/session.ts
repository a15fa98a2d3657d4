import type { MigrationSession, SqlValue } from './database.ts'
import { withDeadline } from './deadline.ts'
import { meaningOf } from './failure.ts'

/** What the two drivers have in common: a pool, a connection or a transaction of either. */
type Driver = {
  /** Run one statement, and resolve with its rows. */
  readonly query: (
    text: string,
    values: SqlValue[],
    preparedAs: string | undefined,
  ) => Promise<readonly unknown[]>
  readonly execute: (script: string) => Promise<unknown>
}

/** Run statements on a driver, each within a deadline, with its failures told by what they mean. */
export function createSession(driver: Driver, deadlineMs: number): MigrationSession {
  const within = <Result>(answer: Promise<Result>): Promise<Result> =>
    withDeadline(answer, deadlineMs, 'a statement').catch((error: unknown) => {
      throw meaningOf(error)
    })
  return {
    query: async ({ text, row, preparedAs }, ...values) => {
      const rows = await within(driver.query(text, [...values], preparedAs))
      return rows.map((answered) => row.parse(answered))
    },
    execute: async (script) => {
      await within(driver.execute(script))
    },
  }
}
