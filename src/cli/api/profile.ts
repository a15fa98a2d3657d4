import { readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { CliError, exitCodes } from './exit.ts'

/** Where the API is, and how the caller shows who it is. */
export type Profile = {
  /** Origin of the gateway, without a slash at its end. */
  readonly url: string
  /** The Authorization field of every call; undefined where none is configured. */
  readonly authorization: string | undefined
}

/** What of the process a profile is read from. */
export type ProfileSources = {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Chosen on the command line; undefined: `GATEHOUSE_PROFILE`, or the file's `default`. */
  readonly name: string | undefined
  /** Hears about a file that others may read. */
  readonly warn: (text: string) => void
}

const profile = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }),
    apiKey: z.string().optional(),
    apiSecret: z.string().optional(),
    token: z.string().optional(),
  })
  .readonly()

const file = z.strictObject({
  default: z.string().optional(),
  profiles: z.record(z.string(), profile),
})

type Written = z.infer<typeof profile>

/**
 * Find out where to call and as whom: environment variables count before the profile file.
 *
 * @throws {CliError} where neither says so, or the file is malformed
 */
export async function readProfile({ env, name, warn }: ProfileSources): Promise<Profile> {
  const path = env['GATEHOUSE_PROFILES'] ?? defaultPath(env)
  const chosen = name ?? env['GATEHOUSE_PROFILE']
  const written = await profileIn(path, chosen, warn)
  const url = env['GATEHOUSE_URL'] ?? written?.url
  if (url === undefined) {
    throw new CliError(
      exitCodes.usage,
      `There is no gateway to call: set GATEHOUSE_URL, or write a profile into ${path}.`,
    )
  }
  return { url: url.replace(/(?<!\/)\/+$/, ''), authorization: authorizationOf(env, written) }
}

function defaultPath(env: ProfileSources['env']): string {
  return join(env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'gatehouse', 'profiles.yaml')
}

async function profileIn(
  path: string,
  chosen: string | undefined,
  warn: ProfileSources['warn'],
): Promise<Written | undefined> {
  const text = await textOf(path, warn)
  if (text === undefined) {
    if (chosen === undefined) return undefined
    throw new CliError(exitCodes.usage, `There is no profile "${chosen}": ${path} does not exist.`)
  }
  const { default: usual, profiles } = parsed(text, path)
  const name = chosen ?? usual
  if (name === undefined) return undefined
  if (Object.hasOwn(profiles, name)) return profiles[name]
  const known = Object.keys(profiles).join(', ')
  throw new CliError(exitCodes.usage, `${path} has no profile "${name}"; it has: ${known}.`)
}

function parsed(text: string, path: string): z.infer<typeof file> {
  try {
    return file.parse(parse(text))
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error)
    throw new CliError(exitCodes.usage, `${path} is malformed.\n${reason}`)
  }
}

async function textOf(path: string, warn: ProfileSources['warn']): Promise<string | undefined> {
  try {
    const { mode } = await stat(path)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      warn(`${path} holds secrets and can be read by others: chmod 600 it.`)
    }
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new CliError(exitCodes.usage, `${path} cannot be read: ${String(error)}`)
  }
}

/** A token counts before a key, and what the environment says before the file. */
function authorizationOf(
  env: ProfileSources['env'],
  written: Written | undefined,
): string | undefined {
  const sources = [
    {
      token: env['GATEHOUSE_TOKEN'],
      id: env['GATEHOUSE_API_KEY'],
      secret: env['GATEHOUSE_API_SECRET'],
    },
    { token: written?.token, id: written?.apiKey, secret: written?.apiSecret },
  ]
  for (const { token, id, secret } of sources) {
    if (token !== undefined) return `Bearer ${token}`
    if (id !== undefined && secret !== undefined) return basic(id, secret)
  }
  return undefined
}

function basic(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
}
