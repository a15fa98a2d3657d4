import { InvalidArgumentError, type Command } from 'commander'

/** How results are shown: to people, or to programs. */
export type OutputFormat = 'table' | 'json'

/** Read the value of `--output`. */
export function outputFormat(value: string): OutputFormat {
  if (value === 'table' || value === 'json') return value
  throw new InvalidArgumentError('It is one of: table, json.')
}

/** What the command line asks for, wherever it says so. */
export function outputOf(command: Command): OutputFormat {
  return command.optsWithGlobals<{ output?: OutputFormat }>().output ?? 'table'
}
