import type { Command } from 'commander'
import { outputOf } from '../output.ts'
import { json } from './client.ts'
import { objectPath } from './collection.ts'
import type { Io } from './io.ts'
import type { Resource } from './resource.ts'
import { parentOf, printed, withParent, type OpenApi } from './resource-commands.ts'

type Options = Readonly<Record<string, unknown>> & { readonly otherExpiresAt?: string }

/** Add what a kind of object that has a secret does with it, so that its owner can change it. */
export function addSecretCommands(
  group: Command,
  resource: Resource,
  openApi: OpenApi,
  io: Io,
): void {
  const add = (name: string, description: string): Command =>
    withParent(group.command(name), resource).description(description).argument('<id>')
  const post = async (path: string, body: object | undefined, command: Command): Promise<void> => {
    const api = await openApi(command.optsWithGlobals())
    const answer = await api.call('POST', path, body && json(body))
    io.out(printed(answer.body, outputOf(command)))
  }
  const secretsOf = (id: string, options: Options): string =>
    `${objectPath(resource, parentOf(resource, options), id)}/secrets`

  add('add-secret', 'give one a second secret, which is shown this once')
    .option('--other-expires-at <time>', 'when the other secret ends (RFC 3339)')
    .action(async (id: string, options: Options, command: Command) => {
      const { otherExpiresAt: other } = options
      const body = other === undefined ? {} : { other_expires_at: other }
      await post(secretsOf(id, options), body, command)
    })
  add('retire-secret', 'refuse the older one of two secrets from now on').action(
    async (id: string, options: Options, command: Command) => {
      await post(`${secretsOf(id, options)}:retire-older`, undefined, command)
    },
  )
}
