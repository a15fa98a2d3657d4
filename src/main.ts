import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createApp, openConfiguredDirectory, type App } from './app.ts'
import { rolesHolding } from './auth/roles/role.ts'
import { exportToFile, importFromFile } from './backup-file.ts'
import { CatalogError } from './catalog/catalog-error.ts'
import { compareDocuments } from './catalog/compat/compare.ts'
import { loadDocument } from './catalog/document.ts'
import { describeRoutes } from './catalog/route-list.ts'
import { exitCodeOf, isTold } from './cli/api/exit.ts'
import { processIo } from './cli/api/io.ts'
import { firstRunMessage } from './cli/first-run.ts'
import type { OutputFormat } from './cli/output.ts'
import { buildProgram, type Commands } from './cli/program.ts'
import { table } from './cli/table.ts'
import { followFiles } from './config/follow-files.ts'
import { ConfigurationError, loadConfiguration } from './config/load.ts'
import type { Configuration } from './config/schema.ts'
import { parsePattern } from './crn/pattern.ts'
import { startDemoUpstream } from './demo/upstream.ts'
import type { Directory } from './directory/directory.ts'
import { GatewayError } from './errors/gateway-error.ts'
import { compileGroups } from './groups.ts'
import { checkKeyFiles } from './signing.ts'
import { overAdmission } from './over-admission.ts'
import { openLog, type Log } from './telemetry/log.ts'
import { answerPrimary, tellPrimary } from './worker.ts'
import { asOneOf, refuseUnsharable, superviseWorkers, unsharedWarning } from './workers.ts'
import { usageReport } from './usage-report.ts'

const commands: Commands = {
  serve,
  async check(configPath) {
    const configuration = await loadConfiguration(configPath, process.env)
    const { catalog, warnings } = await compileGroups(configuration)
    await checkKeyFiles(configuration.tokens)
    for (const warning of warnings) process.stdout.write(`warning: ${warning}\n`)
    process.stdout.write(overAdmission(configuration))
    process.stdout.write(`${catalog.operations.length} operations: ok\n`)
  },
  async routes(configPath, output) {
    const { catalog, roles } = await compileGroups(await loadConfiguration(configPath, process.env))
    const rows = describeRoutes(catalog, ({ id, group }) =>
      group.authorization === 'roles' ? rolesHolding(roles, id) : undefined,
    )
    if (output === 'json') {
      process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
      return
    }
    const cells = rows.map((row) => [
      row.method,
      row.path,
      row.hosts.length === 0 ? '*' : row.hosts.join(','),
      row.group,
      row.authorizations,
      row.roles === undefined ? '(service)' : row.roles.join(',') || '(nobody)',
      row.stage,
      row.grants.length === 0 ? '-' : row.grants.join(' | '),
    ])
    const headings = [
      'METHOD',
      'PATH',
      'HOSTS',
      'GROUP',
      'AUTHORIZATIONS',
      'ROLES',
      'STAGE',
      'GRANT',
    ]
    process.stdout.write(table(headings, cells))
  },
  init: ({ configPath, organizationName, userEmail, output }) =>
    withDirectory(configPath, async (directory, { crnAuthority }) => {
      const first = await directory.bootstrap({ organizationName, userEmail, crnAuthority }, cli)
      if (first === undefined) {
        const said = 'The directory has an organization already: nothing was changed'
        process.stdout.write(output === 'json' ? '{"created":false}\n' : `${said}\n`)
        return
      }
      const { organizationId, userId, apiKey } = first
      printMade({ organization: organizationId, user: userId, ...keyMembers(apiKey) }, output)
    }),
  createKey: ({ configPath, owner, displayName, resource, expiresAtMs, output }) =>
    withDirectory(configPath, async (directory) => {
      const expiry = expiresAtMs === undefined ? {} : { expiresAtMs }
      const key = { ownerId: owner, displayName, resource, ...expiry }
      printMade(keyMembers(await directory.apiKeys.create(key, cli)), output)
    }),
  bind: ({ configPath, organization: organizationId, principal: principalId, role, on }) =>
    withDirectory(configPath, async (directory, { roles, crnAuthority }) => {
      if (!Object.hasOwn(roles, role))
        throw new Error(`There is no such role; there are: ${Object.keys(roles).join(', ')}`)
      const crnPattern = on ?? `crn://${crnAuthority}/organization=${organizationId}`
      if (parsePattern(crnPattern) === undefined) throw new Error('The pattern is no CRN pattern')
      const binding = { organizationId, principalId, role, crnPattern }
      const { id } = await directory.roleBindings.create(binding, cli)
      process.stdout.write(`role binding  ${id}\n`)
    }),
  export: (configPath, file) =>
    withDirectory(configPath, (directory) => exportToFile(directory, file), backupTimeoutMs),
  import: (configPath, file) =>
    withDirectory(configPath, (directory) => importFromFile(directory, file, cli), backupTimeoutMs),
  compat: async (oldFile, newFile) =>
    compareDocuments(
      await loadDocument(resolve(oldFile)),
      await loadDocument(resolve(newFile)),
      Date.now(),
    ),
  async usageReport({ configPath, files, output }) {
    const compiled =
      configPath && (await compileGroups(await loadConfiguration(configPath, process.env)))
    const operations = compiled ? compiled.catalog.operations : []
    const sunsets = new Map(operations.map(({ id, lifecycle }) => [id, lifecycle.sunsetAt]))
    process.stdout.write(await usageReport(files, sunsets, output))
  },
  async demo(address) {
    const upstream = await startDemoUpstream(address)
    process.stdout.write(`The demo upstream listens on http://${address.host}:${upstream.port}\n`)
  },
}

/** For one statement of an export or an import: nobody waits for an answer as a request does. */
const backupTimeoutMs = 600_000

/** Who did it, in the audit rows. */
const cli = { id: 'cli' }

async function withDirectory(
  configPath: string,
  run: (directory: Directory, configuration: Configuration) => Promise<void>,
  queryTimeoutMs?: number,
): Promise<void> {
  const written = await loadConfiguration(configPath, process.env)
  const timeout = queryTimeoutMs === undefined ? {} : { queryTimeoutMs }
  const configuration = { ...written, directory: { ...written.directory, ...timeout } }
  const directory = await openConfiguredDirectory(configuration, openLog('error'))
  try {
    await run(directory, configuration)
  } finally {
    await directory.close()
  }
}

type Made = Readonly<Record<string, string>>

function keyMembers({ id, secret }: { readonly id: string; readonly secret: string }): Made {
  return { key_id: id, secret }
}

function printMade(made: Made, output: OutputFormat): void {
  const lines = Object.entries(made).map(([name, value]) => `${name.replace('_', ' ')}  ${value}\n`)
  process.stdout.write(output === 'json' ? `${JSON.stringify(made)}\n` : lines.join(''))
}

async function serve(configPath: string, workers: number): Promise<void> {
  const load = async (): Promise<Configuration> =>
    asOneOf(workers, await loadConfiguration(configPath, process.env))
  const configuration = await load()
  const log = openLog(configuration.log.level)
  if (workers > 1 && cluster.isPrimary) {
    refuseUnsharable(configuration)
    const warning = unsharedWarning(configuration, workers)
    if (warning !== undefined) log.warn({ warning }, 'check')
    const onStopped = (): void => {
      end(log)
    }
    await superviseWorkers(workers, configuration, { log, onStopped })
    releaseStartUpMemory()
    return
  }
  const app = await createApp(configuration, log)
  for (const warning of app.warnings) log.warn({ warning }, 'check')
  const demo =
    configuration.demo && (await startDemoUpstream({ host: '127.0.0.1', ...configuration.demo }))
  if (cluster.isWorker) {
    answerPrimary(app)
    const { address: host, port } = await app.listenAsWorker()
    tellPrimary({ tell: 'listening', host, port })
  } else {
    await listenAlone(app, configuration, log)
  }
  const reload = (): Promise<void> => app.reload(load)
  process.on('SIGHUP', () => void reload())
  const following = await followFiles({
    files: () => [configPath, ...app.files()],
    onChange: reload,
  })
  releaseStartUpMemory()
  let isStopping = false
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) return
    isStopping = true
    log.info({ signal }, 'draining')
    void following
      .close()
      .then(() => app.stop())
      .then(() => demo?.close())
      .then(() => {
        end(log)
      })
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

function end(log: Log): void {
  log.info({}, 'stopped')
  log.flush()
  process.exit(0)
}

async function listenAlone(app: App, configuration: Configuration, log: Log): Promise<void> {
  const addresses = await app.listen()
  log.info({ public: addresses.public, admin: addresses.admin }, 'listening')
  if (configuration.directory.url === undefined || configuration.directory.url === '') {
    const { crnAuthority } = configuration
    const user = { userEmail: 'admin@example.com', userName: 'Administrator', crnAuthority }
    const example = { organizationName: 'Example', ...user }
    const first = await app.directory.bootstrap(example, { id: 'first-start' })
    const origin = `http://${configuration.listen.public.host}:${addresses.public.port}`
    if (first !== undefined) {
      const { id, secret } = first.apiKey
      process.stdout.write(firstRunMessage({ origin, keyId: id, secret }))
    }
  }
}

/**
 * Give back what reading and compiling left behind: V8 would keep it until there is much more, and
 * a gateway at rest would hold it for ever.
 */
function releaseStartUpMemory(): void {
  setFlagsFromString('--expose-gc')
  // Only a context made after the flag was set has the function.
  const collect = runInNewContext('gc') as NodeJS.GCFunction
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}

/** Whatever an operator can mend is told in a line or more; anything else is a bug, with its stack. */
function explain(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message
  if (error instanceof CatalogError) return error.problems.join('\n')
  if (error instanceof GatewayError)
    return [error.message, error.details].filter(Boolean).join('. ')
  if (error instanceof Error && error.message !== '') return error.message
  return String(error)
}

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string }

try {
  await buildProgram(commands, version, processIo()).parseAsync()
} catch (error) {
  if (!isTold(error)) process.stderr.write(`${explain(error)}\n`)
  process.exitCode = exitCodeOf(error)
  // What a start that failed half-way has open must not keep the process, without a listener.
  setTimeout(() => process.exit(), 1_000).unref()
}
