import type { Command } from 'commander'
import { outputOf } from '../output.ts'
import { json } from './client.ts'
import { CliError, exitCodes } from './exit.ts'
import type { Io } from './io.ts'
import { printed, type OpenApi } from './resource-commands.ts'

/** Add what is done with objects beside making, reading, changing and deleting them. */
export function addOperatorCommands(program: Command, openApi: OpenApi, io: Io): void {
  group(program, 'signing-keys')
    .command('rotate')
    .description('have the next key sign from now on')
    .option('--force', 'at once, and accept no more what the other signed: it is compromised')
    .action(async ({ force = false }: { force?: boolean }, command: Command) => {
      const api = await openApi(command.optsWithGlobals())
      const { body } = await api.call('POST', '/gatehouse/v1/signing-keys:rotate', json({ force }))
      io.out(printed(body, outputOf(command)))
    })
}

function group(program: Command, name: string): Command {
  const found = program.commands.find((command) => command.name() === name)
  if (found !== undefined) return found
  throw new CliError(exitCodes.failed, `There are no commands for ${name}`)
}
