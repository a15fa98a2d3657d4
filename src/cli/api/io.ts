import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'

/** What a command has of the process, so that it can be run without one. */
export type Io = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly out: (text: string) => void
  /** For people alone: warnings and questions, never results. */
  readonly note: (text: string) => void
  /** The content of a file, or of standard input for `-`. */
  readonly read: (path: string) => Promise<string>
}

/** The process itself. */
export function processIo(): Io {
  return {
    env: process.env,
    out: (text) => process.stdout.write(text),
    note: (text) => process.stderr.write(text),
    read: (path) => (path === '-' ? text(process.stdin) : readFile(path, 'utf8')),
  }
}
