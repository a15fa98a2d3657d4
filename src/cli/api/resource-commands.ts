import type { Command } from 'commander'
import { outputOf, type OutputFormat } from '../output.ts'
import { table } from '../table.ts'
import type { ApiClient, Json } from './client.ts'
import { create, listAll, objectPath, update } from './collection.ts'
import { objectsIn, valueOf } from './documents.ts'
import { CliError, exitCodes } from './exit.ts'
import type { Io } from './io.ts'
import { memberAt, shown, withMember } from './members.ts'
import type { Resource } from './resource.ts'

/** Options that every command of a kind has; each kind adds its own. */
type Options = Readonly<Record<string, unknown>> & {
  readonly output: OutputFormat
  readonly limit?: number
  readonly ifMatch?: string
  readonly set?: readonly string[]
  readonly fromFile?: string
}

/** Gives a client for the profile that the command line names. */
export type OpenApi = (options: object) => Promise<ApiClient>

/**
 * Add the commands for one kind of object.
 *
 * @returns the command that they stand under
 */
export function addResourceCommands(
  program: Command,
  resource: Resource,
  openApi: OpenApi,
  io: Io,
): Command {
  const group = program.command(resource.command).description(`${resource.kind} objects of the API`)
  const add = (name: string, description: string): Command =>
    withParent(group.command(name), resource).description(description)
  const print = (object: Json, { output }: Options): void => {
    io.out(printed(object, output))
  }
  for (const verb of resource.verbs) {
    switch (verb) {
      case 'list':
        withFilters(add('list', 'list them all'), resource)
          .option('--limit <number>', 'no more than so many', wholeNumber)
          .action(async (options: Options, command: Command) => {
            const api = await openApi(command.optsWithGlobals())
            const objects = await listAll(api, resource, parentOf(resource, options), {
              limit: options.limit,
              filter: filterOf(resource, options),
            })
            io.out(listed(resource, objects, outputOf(command)))
          })
        break
      case 'describe':
        add('describe', 'show one')
          .argument('<id>')
          .action(async (id: string, options: Options, command: Command) => {
            const api = await openApi(command.optsWithGlobals())
            const path = objectPath(resource, parentOf(resource, options), id)
            print((await api.call('GET', path)).body, { ...options, output: outputOf(command) })
          })
        break
      case 'create':
        withMembers(add('create', 'make one; secrets are shown this once'), resource, true).action(
          async (options: Options, command: Command) => {
            const object = await objectFrom(resource, options, io)
            const api = await openApi(command.optsWithGlobals())
            const made = await create(api, resource, parentOf(resource, options), object)
            print(made, { ...options, output: outputOf(command) })
          },
        )
        break
      case 'update':
        withMembers(add('update', 'change one by a merge patch'), resource, false)
          .argument('<id>')
          .option('--if-match <tag>', 'only if it still has this entity tag')
          .action(async (id: string, options: Options, command: Command) => {
            const patch = await objectFrom(resource, options, io)
            if (Object.keys(patch).length === 0) {
              throw new CliError(exitCodes.usage, 'There is nothing to change.')
            }
            const api = await openApi(command.optsWithGlobals())
            const path = objectPath(resource, parentOf(resource, options), id)
            const changed = await update(api, path, patch, options.ifMatch)
            print(changed, { ...options, output: outputOf(command) })
          })
        break
      case 'delete':
        add('delete', 'take one away, with what belongs to it')
          .argument('<id>')
          .action(async (id: string, options: Options, command: Command) => {
            const api = await openApi(command.optsWithGlobals())
            await api.call('DELETE', objectPath(resource, parentOf(resource, options), id))
            io.note(`${resource.kind} ${id} was deleted\n`)
          })
        break
    }
  }
  return group
}

function withFilters(command: Command, { filters = [] }: Resource): Command {
  for (const { name, description } of filters) command.option(`--${name} <value>`, description)
  return command
}

function filterOf({ filters = [] }: Resource, options: Options): Record<string, string> {
  const given = filters.flatMap(({ name, parameter }) => {
    const value = options[camelCase(name)]
    return typeof value === 'string' ? [[parameter, value]] : []
  })
  return Object.fromEntries(given) as Record<string, string>
}

/** Have a command ask for what an object is within. */
export function withParent(command: Command, { parent }: Resource): Command {
  if (parent === undefined) return command
  return command.requiredOption(`--${parent.option} <id>`, parent.description)
}

/** The id of what an object is within, as it was given to a command. */
export function parentOf(
  { parent }: Resource,
  options: Readonly<Record<string, unknown>>,
): string | undefined {
  return parent === undefined ? undefined : String(options[parent.option])
}

function withMembers(command: Command, { options }: Resource, isNew: boolean): Command {
  for (const { name, description, isRequired, isList } of options) {
    const flags = `--${name} <${isList === true ? 'value...' : 'value'}>`
    const needed = isNew && isRequired === true ? `${description} (needed)` : description
    command.option(flags, needed)
  }
  return command
    .option('--set <member=value...>', 'any member by its dotted path; JSON, or a text')
    .option('--from-file <file>', 'the members, as YAML or JSON; - is standard input')
}

/** A file first, then single members, then the options of the kind. */
async function objectFrom(resource: Resource, options: Options, io: Io): Promise<Json> {
  let object: Json = {}
  if (options.fromFile !== undefined) {
    const [only, ...others] = objectsIn(await io.read(options.fromFile), options.fromFile)
    if (only === undefined || others.length > 0) {
      throw new CliError(exitCodes.usage, `${options.fromFile} must hold one object`)
    }
    object = only
  }
  for (const assignment of options.set ?? []) {
    const at = assignment.indexOf('=')
    if (at < 1) throw new CliError(exitCodes.usage, `"${assignment}" is not member=value`)
    object = withMember(object, assignment.slice(0, at), valueOf(assignment.slice(at + 1)))
  }
  for (const { name, member, read } of resource.options) {
    const value = options[camelCase(name)]
    if (value === undefined) continue
    const isText = typeof value === 'string' && read !== undefined
    object = withMember(object, member, isText ? read(value) : value)
  }
  return object
}

/** As commander names an option. */
function camelCase(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** One object, as people or programs read it. */
export function printed(object: Json, output: OutputFormat): string {
  return output === 'json' ? `${JSON.stringify(object, null, 2)}\n` : details(object)
}

function listed(resource: Resource, objects: readonly Json[], output: OutputFormat): string {
  if (output === 'json') return `${JSON.stringify(objects, null, 2)}\n`
  const headings = resource.columns.map(([heading]) => heading)
  const rows = objects.map((object) =>
    resource.columns.map(([, path]) => shown(memberAt(object, path))),
  )
  return table(headings, rows)
}

/** One object, a line for each member, by its dotted path. */
function details(object: Json): string {
  return table(['MEMBER', 'VALUE'], lines(object, ''))
}

function lines(object: Json, prefix: string): readonly (readonly string[])[] {
  return Object.entries(object).flatMap(([name, value]): readonly (readonly string[])[] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? lines(value as Json, `${prefix}${name}.`)
      : [[prefix + name, shown(value)]],
  )
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new CliError(exitCodes.usage, `${text} is no number of objects`)
}
