import type { Log } from '../telemetry/log.ts'

/** Where the directory says what happened to it; an error is logged as `err`. */
export type DirectoryLog = Pick<Log, 'info' | 'warn' | 'error'>
