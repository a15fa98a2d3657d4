import type { z } from 'zod'

/** One SQL statement, and what its rows must look like. */
export type Statement<Row> = {
  readonly text: string
  readonly row: z.ZodType<Row>
  /** A connection prepares the statement once, under this name, where there is one. */
  readonly preparedAs?: string | undefined
}

/**
 * Pair a statement with the shape of its rows, which every answer is checked against.
 *
 * @param preparedAs a name of its own, for what requests wait for: planning takes as long as running it
 */
export function statement<Row>(
  text: string,
  row: z.ZodType<Row>,
  preparedAs?: string,
): Statement<Row> {
  return { text, row, preparedAs }
}

/** What can be bound to `$1`, `$2`, …; undefined is bound as NULL. */
export type SqlValue = string | number | boolean | Buffer | readonly string[] | undefined

/** Where statements run: in a transaction, or each on its own. */
export type Session = {
  /** @throws {GatewayError} DIRECTORY_UNAVAILABLE, and what a violated constraint means to a caller */
  readonly query: <Row>(
    statement: Statement<Row>,
    ...values: readonly SqlValue[]
  ) => Promise<readonly Row[]>
}

/** A session that runs scripts of many statements too: for migrations. */
export type MigrationSession = Session & { readonly execute: (script: string) => Promise<void> }

/** Told about changes that any process makes. */
export type ChangeListener = {
  /** A notification arrived; its payload is as the triggers send it. */
  readonly changed: (payload: string) => void
  /** Notifications may be missed from some time before this call. */
  readonly lost: (cause: unknown) => void
  /** Notifications arrive again; those sent since `lost` are gone. */
  readonly restored: () => void
}

/** A PostgreSQL database, wherever it runs. Every call has a deadline. */
export type Database = Session & {
  /** Commit what `work` does, or none of it where `work` fails. */
  readonly transaction: <Result>(work: (session: Session) => Promise<Result>) => Promise<Result>
  /** Resolves when changes made from now on will be told. To be called once. */
  readonly listen: (listener: ChangeListener) => Promise<void>
  readonly close: () => Promise<void>
}

/** The channel that the triggers of the schema notify. */
export const changeChannel = 'gatehouse_directory'
