import pino from 'pino'
import { accessLine, type AccessRecord } from './access-line.ts'
import { createTimestamp } from './timestamp.ts'

/** Levels that an operator can choose. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** The process's log: one JSON object a line on standard output. */
export type Log = {
  info(record: object, message?: string): void
  warn(record: object, message?: string): void
  error(record: object, message?: string): void
  fatal(record: object, message?: string): void
  /** Write one line of the access log, at level `info`. */
  access(record: AccessRecord): void
  /** Write whole lines that another process has made. */
  relay(lines: Buffer): void
  /** Write what is still in memory, before the process ends. */
  flush(): void
}

/** Access lines are gathered up to this many characters, other lines up to this many bytes. */
const batchLength = 32_768
const otherBytes = 8_192

/** And no line longer than this. */
const batchMs = 200

/** pino's own, which takes bytes where it is told to; its type knows text only. */
type Destination = {
  write(bytes: Buffer): unknown
  flush(): void
  flushSync(): void
}

/**
 * Open the log. Nothing is written on the event loop. Lines of the access log are gathered, so a
 * process that is killed loses at most those of its last 200 ms (or 32 Ki characters).
 *
 * They are gathered here, since the destination measures all that it has gathered at each line.
 */
export function openLog(level: LogLevel): Log {
  const destination = pino.destination({
    dest: 1,
    sync: false,
    minLength: otherBytes,
    maxWrite: 2 * batchLength,
    contentMode: 'buffer',
  }) as unknown as Destination
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    asText(destination),
  )
  const timestamp = createTimestamp(Date.now)
  const isAccessLogged = logger.isLevelEnabled('info')
  let gathered = ''
  const writeGathered = (): void => {
    if (gathered === '') return
    destination.write(Buffer.from(gathered))
    gathered = ''
  }
  setInterval(() => {
    writeGathered()
    destination.flush()
  }, batchMs).unref()
  const flush = (): void => {
    writeGathered()
    destination.flushSync()
  }
  process.once('exit', flush)
  return {
    info: logger.info.bind(logger),
    warn: logger.warn.bind(logger),
    error: logger.error.bind(logger),
    fatal: logger.fatal.bind(logger),
    access: (record) => {
      if (!isAccessLogged) return
      gathered += accessLine(timestamp(), record)
      if (gathered.length >= batchLength) writeGathered()
    },
    relay: (lines) => {
      destination.write(lines)
    },
    flush,
  }
}

/** For pino, which writes text, and has it flushed before a process ends by a bug. */
function asText(destination: Destination) {
  return {
    write(line: string) {
      destination.write(Buffer.from(line))
    },
    flushSync() {
      destination.flushSync()
    },
  }
}
