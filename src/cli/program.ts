import { Command, InvalidArgumentError } from 'commander'
import { addApiCommands } from './api/commands.ts'
import type { Io } from './api/io.ts'
import { addCompat, type CompareFiles } from './compat.ts'
import { namedResource } from './named-resource.ts'
import { outputFormat, outputOf, type OutputFormat } from './output.ts'

/** What `keys create` is asked for. */
export type CreateKeyRequest = {
  readonly configPath: string
  /** The user or service account that the key acts for. */
  readonly owner: string
  readonly displayName: string
  readonly resource: KeyResourceOption
  /** Milliseconds since the epoch; undefined: the key does not expire. */
  readonly expiresAtMs: number | undefined
  readonly output: OutputFormat
}

/** What the key opens, as written on the command line. */
export type KeyResourceOption =
  | { readonly kind: 'cloud' }
  | { readonly kind: 'global' }
  | {
      readonly kind: 'resource'
      readonly resourceKind: string
      readonly id: string
      readonly environment: string | undefined
    }

/** Whom `init` creates. */
export type InitRequest = {
  readonly configPath: string
  readonly organizationName: string
  readonly userEmail: string
  readonly output: OutputFormat
}

/** What `bind` is asked for. */
export type BindRequest = {
  readonly configPath: string
  readonly organization: string
  readonly principal: string
  readonly role: string
  /** A CRN pattern; undefined: the organization. */
  readonly on: string | undefined
}

/** What `usage-report` is asked for. */
export type UsageReportRequest = {
  /** Where the dates of ends are looked up; undefined: nowhere. */
  readonly configPath: string | undefined
  /** Access logs; `-` is standard input. */
  readonly files: readonly string[]
  readonly output: 'table' | 'json'
}

/** What each command does; the process supplies it, so that this folder knows no part of the gateway. */
export type Commands = {
  /** @param workers processes that share the public listener; 1: this one alone */
  serve(configPath: string, workers: number): Promise<void>
  check(configPath: string): Promise<void>
  routes(configPath: string, output: 'table' | 'json'): Promise<void>
  init(request: InitRequest): Promise<void>
  createKey(request: CreateKeyRequest): Promise<void>
  bind(request: BindRequest): Promise<void>
  export(configPath: string, file: string): Promise<void>
  import(configPath: string, file: string): Promise<void>
  compat: CompareFiles
  usageReport(request: UsageReportRequest): Promise<void>
  demo(address: { readonly host: string; readonly port: number }): Promise<void>
}

/** The command line of Gatehouse. */
export function buildProgram(commands: Commands, version: string, io: Io): Command {
  const program = new Command('gatehouse')
    .description('An authenticating API gateway')
    .version(version)
    .showHelpAfterError('(run with --help for the commands)')
    // Thrown, so that whoever runs the program decides what it ends with.
    .exitOverride()
    .option('--output <format>', 'table (the default) or json', outputFormat)
  addServe(program, commands)
  addCheck(program, commands)
  addRoutes(program, commands)
  addInit(program, commands)
  addKeys(program, commands)
  addBind(program, commands)
  addBackup(program, commands)
  addCompat(program, commands.compat, io)
  addUsageReport(program, commands)
  addDemo(program, commands)
  addApiCommands(program, io)
  return program
}

function addServe(program: Command, commands: Commands): void {
  withConfig(program.command('serve'))
    .description('run the gateway until it is told to stop')
    .option('--workers <number>', 'processes that share the listener', parseWorkers, 1)
    .action(({ config, workers }: { config: string; workers: number }) =>
      commands.serve(config, workers),
    )
}

function addCheck(program: Command, commands: Commands): void {
  withConfig(program.command('check'))
    .description('read the configuration and its OpenAPI documents, and report every mistake')
    .action(({ config }: { config: string }) => commands.check(config))
}

function addRoutes(program: Command, commands: Commands): void {
  withConfig(program.command('routes'))
    .description('list every operation with the credentials that open it')
    .action(({ config }: { config: string }, command: Command) =>
      commands.routes(config, outputOf(command)),
    )
}

type InitOptions = {
  readonly config: string
  readonly organization: string
  readonly email: string
}

function addInit(program: Command, commands: Commands): void {
  withConfig(program.command('init'))
    .description('in an empty directory, create an organization, its administrator and a cloud key')
    .requiredOption('--organization <name>', 'the name of the organization')
    .requiredOption('--email <address>', 'the address of its administrator')
    .action(({ config, organization, email }: InitOptions, command: Command) =>
      commands.init({
        configPath: config,
        organizationName: organization,
        userEmail: email,
        output: outputOf(command),
      }),
    )
}

type CreateKeyOptions = {
  readonly config: string
  readonly owner: string
  readonly name: string
  readonly resource: KeyResourceOption
  readonly expires?: number
}

function addKeys(program: Command, commands: Commands): void {
  const keys = program.command('keys').description('API keys in the directory')
  withConfig(keys.command('create'))
    .description('create an API key and print its secret, once')
    .requiredOption('--owner <id>', 'the user (u-…) or service account (sa-…) it acts for')
    .option('--name <text>', 'a name to recognise it by', '')
    .option(
      '--resource <resource>',
      'cloud, global, KIND:ID, or KIND:ID@ENVIRONMENT',
      parseResource,
      { kind: 'cloud' } as KeyResourceOption,
    )
    .option('--expires <time>', 'when it stops working, in RFC 3339', parseTime)
    .action(({ config, owner, name, resource, expires }: CreateKeyOptions, command: Command) =>
      commands.createKey({
        configPath: config,
        owner,
        displayName: name,
        resource,
        expiresAtMs: expires,
        output: outputOf(command),
      }),
    )
}

type BindOptions = Omit<BindRequest, 'configPath' | 'on'> & {
  readonly config: string
  readonly on?: string
}

function addBind(program: Command, commands: Commands): void {
  withConfig(program.command('bind'))
    .description('give a principal a role, where nobody has one that may do it over the API')
    .requiredOption('--organization <id>', 'the organization of the principal')
    .requiredOption('--principal <id>', 'a user, a service account or an identity pool')
    .requiredOption('--role <name>', 'one of the configured roles')
    .option('--on <pattern>', 'a CRN pattern; the whole organization where it is left out')
    .action(({ config, on, ...request }: BindOptions) =>
      commands.bind({ configPath: config, on, ...request }),
    )
}

function addBackup(program: Command, commands: Commands): void {
  withConfig(program.command('export'))
    .description('write the whole directory into a new file, without any secret in clear')
    .argument('<file>', 'the file to write, which must not exist')
    .action((file: string, { config }: { config: string }) => commands.export(config, file))
  withConfig(program.command('import'))
    .description('put an export into an empty directory')
    .argument('<file>', 'the file that export wrote')
    .action((file: string, { config }: { config: string }) => commands.import(config, file))
}

function addUsageReport(program: Command, commands: Commands): void {
  program
    .command('usage-report')
    .description('tell from access logs who still calls operations that end')
    .argument('[files...]', 'logs of JSON lines; standard input where none is named')
    .option('--config <file>', 'a configuration, for the dates on which operations end')
    .action((files: string[], { config }: { config?: string }, command: Command) =>
      commands.usageReport({
        configPath: config,
        files: files.length === 0 ? ['-'] : files,
        output: outputOf(command),
      }),
    )
}

function addDemo(program: Command, commands: Commands): void {
  program
    .command('demo')
    .description('run the demo upstream alone')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <number>', 'where to listen', parsePort, 8082)
    .action((address: { host: string; port: number }) => commands.demo(address))
}

function withConfig(command: Command): Command {
  return command.option('--config <file>', 'the configuration file', 'config/gateway.yaml')
}

/** `cloud`, `global`, `kafka-cluster:lkc-1`, or `flink-region:aws.us-east-1@env-1`. */
function parseResource(value: string): KeyResourceOption {
  if (value === 'cloud' || value === 'global') return { kind: value }
  const named = namedResource(value)
  if (named === undefined || named.kind !== named.kind.toLowerCase()) {
    throw new InvalidArgumentError('It is cloud, global, KIND:ID, or KIND:ID@ENVIRONMENT.')
  }
  const { kind: resourceKind, id, environment } = named
  return { kind: 'resource', resourceKind, id, environment }
}

/** Date.parse alone takes any text that ends in a number for a time. */
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/

function parseTime(value: string): number {
  const time = rfc3339.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) throw new InvalidArgumentError('It is a time such as 2030-01-31T00:00Z.')
  return time
}

function parseWorkers(value: string): number {
  if (/^[1-9]\d{0,2}$/.test(value)) return Number(value)
  throw new InvalidArgumentError('It is a number between 1 and 999.')
}

function parsePort(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value)
  throw new InvalidArgumentError('It is a port between 0 and 65535.')
}
