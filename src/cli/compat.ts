import type { Command } from 'commander'
import { CliError, exitCodes } from './api/exit.ts'
import type { Io } from './api/io.ts'
import { outputOf } from './output.ts'

/** A difference as it is printed; `operations` are those that meet it. */
export type PrintedDifference = {
  readonly rule: string
  readonly demand: string
  readonly text: string
  readonly document: 'old' | 'new'
  readonly file: string
  readonly line: number
  readonly pointer: string
  readonly operations: readonly string[]
}

/** Compares two OpenAPI documents; rejects where one cannot be read. */
export type CompareFiles = (
  oldFile: string,
  newFile: string,
) => Promise<{
  readonly breaking: readonly PrintedDifference[]
  readonly allowed: readonly PrintedDifference[]
}>

/** `gatehouse compat OLD NEW`: ends with 1 where something breaks, 2 where a document cannot be read. */
export function addCompat(program: Command, compare: CompareFiles, io: Io): void {
  program
    .command('compat')
    .description('tell what of a new OpenAPI document breaks callers of the old one')
    .argument('<old>', 'the document that callers were written against')
    .argument('<new>', 'the document that is to take its place')
    .action(async (oldFile: string, newFile: string, _options: unknown, command: Command) => {
      const found = await compare(oldFile, newFile).catch((error: unknown) => {
        throw new CliError(exitCodes.usage, error instanceof Error ? error.message : String(error))
      })
      io.out(outputOf(command) === 'json' ? `${JSON.stringify(found, null, 2)}\n` : lines(found))
      const { length } = found.breaking
      if (length === 0) return
      throw new CliError(exitCodes.failed, `${length} breaking change${length === 1 ? '' : 's'}`)
    })
}

function lines({ breaking, allowed }: Awaited<ReturnType<CompareFiles>>): string {
  const kept = allowed.map((one) => `allowed before general availability: ${line(one)}`)
  const broken = breaking.map((one) => `breaking: ${line(one)}`)
  return [...broken, ...kept].join('') || 'compatible\n'
}

function line({ rule, demand, text, file, line: number, pointer, operations }: PrintedDifference) {
  const [first = '', ...others] = operations
  const met = others.length === 0 ? first : `${first} and ${others.length} more`
  return `${met}: ${text}\n  ${file}:${number} ${pointer}\n  ${rule}: ${demand}\n`
}
