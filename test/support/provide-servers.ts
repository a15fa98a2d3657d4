import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './processes.ts'
import { installedFolders } from './postgres.ts'

/** A program that is started here, and is not a dependency of ours. */
export type Wanted = {
  readonly name: string
  readonly debianPackage: string
  /** Where it is, or undefined. */
  readonly find: (cache: string) => string | undefined
}

/** A server that tests start instances of. */
type Server = Wanted & {
  /** Environment variable that hands the program (or its folder) to the tests. */
  readonly variable: string
}

const servers: readonly Server[] = [
  {
    name: 'Redis (redis-server)',
    debianPackage: 'redis-server',
    variable: 'GATEHOUSE_TEST_REDIS',
    find: (cache) => findProgram('redis-server', [join(cache, 'usr/bin')]),
  },
  {
    name: 'PostgreSQL (initdb and postgres)',
    debianPackage: 'postgresql',
    variable: 'GATEHOUSE_TEST_POSTGRES_BIN',
    find: (cache) => {
      const folders = [
        ...installedFolders(),
        ...installedFolders(join(cache, 'usr/lib/postgresql')),
      ]
      return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? folderOnPath()
    },
  },
  {
    name: 'ip (iproute2)',
    debianPackage: 'iproute2',
    variable: 'GATEHOUSE_TEST_IP',
    find: (cache) =>
      findProgram('ip', ['/usr/sbin', '/sbin', join(cache, 'usr/sbin'), join(cache, 'usr/bin')]),
  },
  {
    name: 'Chromium (chromium)',
    debianPackage: 'chromium',
    variable: 'GATEHOUSE_TEST_CHROMIUM',
    find: (cache) =>
      named('GATEHOUSE_TEST_CHROMIUM') ??
      findProgram('chromium', [join(cache, 'usr/lib/chromium')]) ??
      findProgram('chromium-browser') ??
      findProgram('google-chrome'),
  },
]

/**
 * Make sure that the programs the tests need are there, and tell the tests where, by environment.
 *
 * What is missing is installed on Debian as root, or unpacked into the cache folder on Debian
 * without root.
 *
 * @param cache folder for unpacked packages
 * @returns what the user has to do, or undefined where nothing is missing
 */
export function provideServers(cache: string): string | undefined {
  const missing = provide(servers, 'the tests', cache)
  for (const { find, variable } of servers) {
    const found = find(cache)
    if (found !== undefined) process.env[variable] = found
  }
  if (missing.length === 0) return undefined
  const packages = missing.map(({ debianPackage }) => debianPackage).join(' ')
  return `The tests start programs of their own, and these are missing: ${namesOf(missing)}. Install them (on Debian: apt-get install ${packages}) so that they are on PATH, and run the tests again.`
}

/**
 * Make sure that programs are there. What is missing is installed on Debian as root; without root, it
 * is unpacked into the cache folder where one is given.
 *
 * @param purpose for whom, as it is told to the user
 * @returns what is missing all the same
 */
export function provide(
  wanted: readonly Wanted[],
  purpose: string,
  cache?: string,
): readonly Wanted[] {
  const isMissing = ({ find }: Wanted): boolean => find(cache ?? '') === undefined
  const missing = wanted.filter(isMissing)
  const isRoot = userInfo().uid === 0
  const canProvide = findProgram('apt-get') !== undefined && (isRoot || cache !== undefined)
  if (missing.length === 0 || !canProvide) return missing
  process.stdout.write(`Installing for ${purpose}: ${namesOf(missing)}\n`)
  if (isRoot) install(missing)
  else if (cache !== undefined) unpack(missing, cache)
  return wanted.filter(isMissing)
}

/** What the environment names already; whether it runs shows when it is started. */
function named(variable: string): string | undefined {
  const program = process.env[variable]
  return program === '' ? undefined : program
}

function namesOf(programs: readonly Wanted[]): string {
  return programs.map(({ name }) => name).join(', ')
}

function folderOnPath(): string | undefined {
  const initdb = findProgram('initdb')
  return initdb === undefined ? undefined : join(initdb, '..')
}

const deadlineMs = 300_000

/** Packages start their services when they are installed; a policy keeps them from it. */
function install(wanted: readonly Wanted[]): void {
  const packages = wanted.map(({ debianPackage }) => debianPackage)
  const quiet = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  run('apt-get', ['update', '-q'], quiet)
  run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages], quiet)
}

/** Without root: the packages and what they depend on are downloaded and unpacked beside the project. */
function unpack(wanted: readonly Wanted[], cache: string): void {
  rmSync(cache, { recursive: true, force: true })
  mkdirSync(cache, { recursive: true })
  for (const { debianPackage } of wanted) {
    for (const each of closureOf(debianPackage))
      run('apt-get', ['download', '-q', each], process.env, cache)
  }
  for (const file of readdirSync(cache).filter((name) => name.endsWith('.deb'))) {
    run('dpkg-deb', ['-x', join(cache, file), cache], process.env)
  }
}

/** The package and those of its dependencies that a bare Debian lacks. */
function closureOf(debianPackage: string): readonly string[] {
  const simulated = spawnSync(
    'apt-get',
    ['install', '-s', '--no-install-recommends', debianPackage],
    {
      encoding: 'utf8',
      timeout: deadlineMs,
    },
  )
  return [...simulated.stdout.matchAll(/^Inst (\S+)/gm)].flatMap(([, name]) => name ?? [])
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd?: string): void {
  const { status } = spawnSync(program, args, {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: deadlineMs,
    ...(cwd === undefined ? {} : { cwd }),
  })
  if (status !== 0) process.stderr.write(`${program} ${args.join(' ')} failed\n`)
}
