import type { Command } from 'commander'
import { carryOut, described, isDone, plan } from './apply.ts'
import { createApiClient } from './client.ts'
import { completionScript, shells, type Shell } from './completion.ts'
import { objectsIn } from './documents.ts'
import { CliError, exitCodes } from './exit.ts'
import { addExplain } from './explain.ts'
import type { Io } from './io.ts'
import { addOperatorCommands } from './operator-commands.ts'
import { readProfile } from './profile.ts'
import { addResourceCommands, type OpenApi } from './resource-commands.ts'
import { resources } from './resources.ts'
import { addSecretCommands } from './secret-commands.ts'
import { addTokenCommands } from './token.ts'

/** Add every command that speaks to a gateway over its API. docs/cli.md describes them. */
export function addApiCommands(program: Command, io: Io): void {
  program.option('--profile <name>', 'which gateway, and who calls: a profile of the profile file')
  const openApi: OpenApi = async (options) => {
    const { profile } = options as { readonly profile?: string }
    const warn = (text: string): void => {
      io.note(`warning: ${text}\n`)
    }
    return createApiClient(await readProfile({ env: io.env, name: profile, warn }))
  }
  for (const resource of resources) {
    const group = addResourceCommands(program, resource, openApi, io)
    if (resource.hasSecrets === true) addSecretCommands(group, resource, openApi, io)
  }
  addOperatorCommands(program, openApi, io)
  addExplain(program, openApi, io)
  addTokenCommands(program, openApi, io)
  addApply(program, openApi, io)
  program
    .command('completion')
    .description('print a script that completes commands in a shell')
    .argument('<shell>', shells.join(', '))
    .action((shell: string) => {
      if (!shells.includes(shell as Shell)) {
        throw new CliError(exitCodes.usage, `There is completion for: ${shells.join(', ')}`)
      }
      io.out(completionScript(program, shell as Shell))
    })
}

function addApply(program: Command, openApi: OpenApi, io: Io): void {
  program
    .command('apply')
    .description('make objects as a file says: shows what would change, and does it with --yes')
    .argument('<file>', 'objects as YAML or JSON, each with its kind; - is standard input')
    .option('--yes', 'do it')
    .action(async (file: string, { yes }: { yes?: boolean }, command: Command) => {
      const objects = objectsIn(await io.read(file), file)
      const api = await openApi(command.optsWithGlobals())
      const steps = await plan(api, objects)
      io.note(described(steps))
      const open = steps.filter((step) => !isDone(step))
      if (open.length === 0) return
      if (yes !== true) {
        throw new CliError(
          exitCodes.differences,
          `${open.length} of ${steps.length} objects differ: run it with --yes to change them`,
        )
      }
      const done: unknown[] = []
      try {
        for (const step of open) done.push(await carryOut(api, step))
      } finally {
        // A step that fails takes no secret along that an earlier one was shown.
        io.out(`${JSON.stringify(done, null, 2)}\n`)
      }
    })
}
