import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './processes.ts'
import { installedFolders } from './postgres.ts'

/** A server that tests start instances of. */
type Wanted = {
  readonly name: string
  readonly debianPackage: string
  /** Environment variable that hands the program (or its folder) to the tests. */
  readonly variable: string
  readonly find: (cache: string) => string | undefined
}

const wanted: readonly Wanted[] = [
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
  const missing = locate(cache)
  if (missing.length === 0) return undefined
  if (findProgram('apt-get') !== undefined) {
    process.stdout.write(`Installing for the tests: ${namesOf(missing)}\n`)
    if (userInfo().uid === 0) install(missing)
    else unpack(missing, cache)
  }
  const still = locate(cache)
  if (still.length === 0) return undefined
  const packages = still.map(({ debianPackage }) => debianPackage).join(' ')
  return `The tests start servers of their own, and these are missing: ${namesOf(still)}. Install them (on Debian: apt-get install ${packages}) so that they are on PATH, and run the tests again.`
}

function namesOf(servers: readonly Wanted[]): string {
  return servers.map(({ name }) => name).join(', ')
}

/** Point the environment at what is there. */
function locate(cache: string): readonly Wanted[] {
  return wanted.filter(({ find, variable }) => {
    const found = find(cache)
    if (found !== undefined) process.env[variable] = found
    return found === undefined
  })
}

function folderOnPath(): string | undefined {
  const initdb = findProgram('initdb')
  return initdb === undefined ? undefined : join(initdb, '..')
}

const deadlineMs = 300_000

/** Packages start their services when they are installed; a policy keeps them from it. */
function install(servers: readonly Wanted[]): void {
  const packages = servers.map(({ debianPackage }) => debianPackage)
  const quiet = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  run('apt-get', ['update', '-q'], quiet)
  run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages], quiet)
}

/** Without root: the packages and what they depend on are downloaded and unpacked beside the project. */
function unpack(servers: readonly Wanted[], cache: string): void {
  rmSync(cache, { recursive: true, force: true })
  mkdirSync(cache, { recursive: true })
  for (const { debianPackage } of servers) {
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
