import { CommanderError } from 'commander'

/** What the process ends with, as docs/cli.md lists it. */
export const exitCodes = {
  ok: 0,
  /** A bug, or something that nobody foresaw. */
  failed: 1,
  /** The command line, a file or the configuration is wrong: nothing was sent. */
  usage: 2,
  /** The gateway refused what was asked for: 400, 409, 412, 422 and the like. */
  refused: 3,
  /** There is no such object. */
  notFound: 4,
  /** The credential is missing, wrong, or not allowed to do this. */
  denied: 5,
  /** The gateway cannot be reached, limits the caller, or fails: trying again may help. */
  unavailable: 6,
  /** `apply` found differences and was not told to make them. */
  differences: 7,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** What ends a command: told to the person who ran it, without a stack. */
export class CliError extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string) {
    super(message)
    this.name = 'CliError'
    this.exitCode = exitCode
  }
}

/** What the process ends with after an error, or after help that was asked for. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exitCode
  if (!(error instanceof CommanderError)) return exitCodes.failed
  return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
}

/** Whether commander has told what is wrong with the command line, or shown what was asked for. */
export function isTold(error: unknown): boolean {
  return error instanceof CommanderError
}
