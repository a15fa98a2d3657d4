import { followKeyFiles } from './auth/own/follow-key-files.ts'
import { parseKeyFiles, readKeyFiles } from './auth/own/key-files.ts'
import { maxStsLifetimeSeconds } from './auth/own/own-token.ts'
import { acceptedKeys, type ReadOwnKeys } from './auth/own/signing-keys.ts'
import type { Configuration } from './config/schema.ts'
import type { Directory } from './directory/directory.ts'
import { followRotationSchedule } from './directory/rotation-schedule.ts'
import type { ListedSigningKey } from './directory/signing-keys.ts'
import { GatewayError } from './errors/gateway-error.ts'
import type { Log } from './telemetry/log.ts'

/** The keys that our tokens are signed with, wherever they come from. */
export type Signing = {
  readonly ownKeys: ReadOwnKeys
  readonly signingKeys: SigningKeyAdministration
  readonly close: () => Promise<void>
}

/** What an operator does with signing keys. */
export type SigningKeyAdministration = {
  /** All of them, never a private one. */
  readonly list: () => Promise<readonly ListedSigningKey[]>
  /**
   * Have the next key take over now. By force also where it was not published for long enough, and
   * the key that it replaces then counts no more: for a key that is compromised. Tokens that were
   * seen within the last minute may pass for as long.
   *
   * @throws {GatewayError} rejected: CONFLICT where it is too early, or the keys stand in files;
   *   DIRECTORY_UNAVAILABLE
   */
  readonly rotate: (
    actor: { readonly id: string; readonly requestId?: string },
    options?: { readonly force?: boolean },
  ) => Promise<void>
}

type Tokens = Configuration['tokens']
type SigningLog = Pick<Log, 'info' | 'warn' | 'error'>

/** Read the files of signing keys, where there are any. @throws {KeyFileError} where one is bad */
export async function checkKeyFiles({ signingKeys: { files } }: Tokens): Promise<void> {
  if (files !== undefined) await parseKeyFiles(files, await readKeyFiles(files))
}

/**
 * Take the signing keys from the configured files, or from the directory, where they are made if there
 * are none and rotated as scheduled.
 *
 * @throws {KeyFileError} rejected, where a file is bad
 */
export async function createSigning(
  tokens: Tokens,
  directory: Pick<Directory, 'keyRotation' | 'signingKeys'>,
  log: SigningLog,
): Promise<Signing> {
  const { files } = tokens.signingKeys
  return files === undefined ? fromDirectory(tokens, directory, log) : fromFiles(files, log)
}

async function fromDirectory(
  tokens: Tokens,
  { keyRotation, signingKeys }: Pick<Directory, 'keyRotation' | 'signingKeys'>,
  log: SigningLog,
): Promise<Signing> {
  const { rotateEveryDays } = tokens.signingKeys
  const rotation = rotationOf(tokens)
  await keyRotation.ensure(tokens.signingAlgorithm, { id: 'start' })
  const schedule = followRotationSchedule({
    keyRotation,
    schedule:
      rotateEveryDays === 'never'
        ? undefined
        : { ...rotation, everyMs: rotateEveryDays * 86_400_000 },
    log,
    now: Date.now,
  })
  return {
    ownKeys: signingKeys,
    signingKeys: {
      list: keyRotation.list,
      rotate: (actor, { force = false } = {}) =>
        keyRotation.rotate(force ? { ...rotation, keepPreviousMs: 0, force } : rotation, actor),
    },
    close: schedule.close,
  }
}

/** A process that has not heard of a rotation signs on with the key that was replaced, so long at most. */
const unheardSeconds = 3_600

function rotationOf({ signingAlgorithm, signingKeys, partnerLifetimeSeconds }: Tokens) {
  const longestLifetimeSeconds = Math.max(maxStsLifetimeSeconds, partnerLifetimeSeconds)
  return {
    algorithm: signingAlgorithm,
    minPublishedMs: signingKeys.publishAheadSeconds * 1_000,
    keepPreviousMs: (longestLifetimeSeconds + unheardSeconds) * 1_000,
  }
}

async function fromFiles(
  files: NonNullable<Tokens['signingKeys']['files']>,
  log: SigningLog,
): Promise<Signing> {
  const { keys, close } = await followKeyFiles({ files, log })
  return {
    ownKeys: keys,
    signingKeys: {
      list: () => Promise.resolve(listed(keys())),
      rotate: () =>
        Promise.reject(
          new GatewayError('CONFLICT', {
            details: 'The signing keys stand in files: rotate them there.',
          }),
        ),
    },
    close,
  }
}

function listed(keys: ReturnType<ReadOwnKeys>): readonly ListedSigningKey[] {
  return acceptedKeys(keys, 0).map(({ kid, algorithm, publicJwk }) => ({
    kid,
    algorithm,
    publicJwk,
    state: kid === keys?.current.kid ? 'current' : kid === keys?.next?.kid ? 'next' : 'previous',
    createdAtMs: undefined,
    currentSinceMs: undefined,
    keepUntilMs: undefined,
  }))
}
