import type { Command } from 'commander'
import { outputOf } from '../output.ts'
import type { ApiClient, Json } from './client.ts'
import { CliError, exitCodes } from './exit.ts'
import type { Io } from './io.ts'
import type { OpenApi } from './resource-commands.ts'

type ExchangeOptions = {
  readonly subjectToken: string
  readonly pool: string
  readonly lifetime?: string
}

/** Add the commands for tokens. */
export function addTokenCommands(program: Command, openApi: OpenApi, io: Io): void {
  const token = program.command('token').description('access tokens')
  token
    .command('exchange')
    .description('exchange the token of an identity provider for one of the gateway (RFC 8693)')
    .requiredOption('--subject-token <file>', 'a file with the token; - is standard input')
    .requiredOption('--pool <id>', 'the identity pool to be')
    .option('--lifetime <seconds>', 'shorter than the longest')
    .action(async (options: ExchangeOptions, command: Command) => {
      const api = await openApi(command.optsWithGlobals())
      const answer = await exchange(api, (await io.read(options.subjectToken)).trim(), options)
      io.out(
        outputOf(command) === 'json'
          ? `${JSON.stringify(answer, null, 2)}\n`
          : `${tokenIn(answer)}\n`,
      )
    })
  token
    .command('decode')
    .description('show what a token says, without verifying it')
    .argument('[file]', 'a file with the token; - is standard input', '-')
    .action(async (file: string) => {
      io.out(`${JSON.stringify(decoded((await io.read(file)).trim()), null, 2)}\n`)
    })
}

async function exchange(
  api: ApiClient,
  subjectToken: string,
  { pool, lifetime }: ExchangeOptions,
): Promise<Json> {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subjectToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    identity_pool_id: pool,
  })
  if (lifetime !== undefined) form.set('expires_in', lifetime)
  const payload = { contentType: 'application/x-www-form-urlencoded', text: form.toString() }
  return (await api.call('POST', '/sts/v1/oauth2/token', payload)).body
}

function tokenIn(answer: Json): string {
  const token = answer['access_token']
  if (typeof token === 'string') return token
  throw new CliError(exitCodes.failed, 'The answer holds no token')
}

/** Header and claims of a compact JWS (RFC 7515 §3.1); times also as people read them. */
export function decoded(token: string): Json {
  const [header, claims, signature] = token.split('.')
  if (header === undefined || claims === undefined || signature === undefined) {
    throw new CliError(exitCodes.usage, 'This is no compact token: it needs three parts')
  }
  const content = part(claims)
  const times = ['iat', 'nbf', 'exp'].flatMap((name) => {
    const seconds = content[name]
    return typeof seconds === 'number' ? [[name, new Date(seconds * 1000).toISOString()]] : []
  })
  return { header: part(header), claims: content, times: Object.fromEntries(times) as Json }
}

function part(encoded: string): Json {
  try {
    return JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')) as Json
  } catch {
    throw new CliError(exitCodes.usage, 'This is no token: a part of it is not JSON in base64url')
  }
}
