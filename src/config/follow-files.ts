import { realpath, stat } from 'node:fs/promises'
import { repeat, type Repeating } from '../periodic/repeat.ts'

type Options = {
  /** Absolute or relative to the process's folder; asked anew at each look. */
  readonly files: () => readonly string[]
  /** Never called twice at a time. */
  readonly onChange: () => Promise<void>
  /** Between two looks. Default: a second. */
  readonly intervalMs?: number
}

/**
 * Hear of files that change. They are looked at rather than watched: a ConfigMap is exchanged by a
 * symbolic link of its folder, and network and overlay file systems tell watchers nothing.
 *
 * A change is told when it has lasted until the next look, so that nothing half written is read.
 */
export async function followFiles(options: Options): Promise<Repeating> {
  const { files, onChange, intervalMs = 1_000 } = options
  let seen = await fingerprint(files())
  let hasChanged = false
  return repeat({ intervalMs, ref: false }, look)

  async function look(): Promise<void> {
    const now = await fingerprint(files())
    if (now !== seen) {
      seen = now
      hasChanged = true
    } else if (hasChanged) {
      hasChanged = false
      await onChange()
    }
  }
}

async function fingerprint(files: readonly string[]): Promise<string> {
  const marks = await Promise.all([...new Set(files)].sort().map(markOf))
  return marks.join('\n')
}

/** The real path changes with any link on the way; the rest with the file itself. */
async function markOf(file: string): Promise<string> {
  try {
    const path = await realpath(file)
    const { ino, size, mtimeMs } = await stat(path)
    return `${file} ${path} ${ino} ${size} ${mtimeMs}`
  } catch {
    // That it is missing is a state too; whoever reads it says why.
    return `${file} -`
  }
}
