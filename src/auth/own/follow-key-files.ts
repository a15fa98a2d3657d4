import { isDeepStrictEqual } from 'node:util'
import { repeat } from '../../periodic/repeat.ts'
import { parseKeyFiles, readKeyFiles, type KeyFiles, type KeyFileTexts } from './key-files.ts'
import { acceptedKeys, type OwnKeys } from './signing-keys.ts'

/** Told what comes of files that change. */
export type KeyFilesLog = {
  info(record: object, message: string): void
  warn(record: object, message: string): void
  error(record: object, message: string): void
}

/** The keys that stand in files, now. */
export type FollowedKeyFiles = {
  readonly keys: () => OwnKeys
  readonly close: () => Promise<void>
}

type Options = {
  readonly files: KeyFiles
  readonly log: KeyFilesLog
  /** Between two looks at the files. Default: ten seconds. */
  readonly intervalMs?: number
}

/**
 * Read signing keys from files, and again when they change. They are looked at rather than watched:
 * secrets are mounted in ways that no watcher sees. Where one turns bad, the keys before it stay.
 *
 * @throws {KeyFileError} rejected, where they are bad at the start
 */
export async function followKeyFiles(options: Options): Promise<FollowedKeyFiles> {
  const { files, log, intervalMs = 10_000 } = options
  let texts = await readKeyFiles(files)
  let keys = await parseKeyFiles(files, texts)
  let lastProblem = ''
  const { close } = repeat({ intervalMs }, async () => {
    try {
      await look()
      lastProblem = ''
    } catch (error) {
      tell(error)
    }
  })
  return { keys: () => keys, close }

  async function look(): Promise<void> {
    const now: KeyFileTexts = await readKeyFiles(files)
    if (isDeepStrictEqual(now, texts)) return
    const parsed = await parseKeyFiles(files, now)
    warnOfGaps(keys, parsed, log)
    keys = parsed
    texts = now
    log.info({ current: keys.current.kid, next: keys.next?.kid }, 'signing keys were read again')
  }

  /** Once, however long it stays so. */
  function tell(error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error)
    if (problem === lastProblem) return
    lastProblem = problem
    log.error({ problem }, 'the key files are bad; the signing keys before them stay')
  }
}

/** Files can be rotated in ways that refuse good tokens: whoever does it learns that here. */
function warnOfGaps(before: OwnKeys, after: OwnKeys, log: KeyFilesLog): void {
  const known = kidsOf(before)
  if (!known.includes(after.current.kid))
    log.warn(
      { kid: after.current.kid },
      'a key signs that was not published as the next one before',
    )
  if (!kidsOf(after).includes(before.current.kid))
    log.warn({ kid: before.current.kid }, 'the key that signed is gone, and its tokens with it')
}

function kidsOf(keys: OwnKeys): readonly string[] {
  return acceptedKeys(keys, 0).map(({ kid }) => kid)
}
