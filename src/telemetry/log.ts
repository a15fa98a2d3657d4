import pino from 'pino'

/** Levels that an operator can choose. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** The process's log: one JSON object a line on standard output. */
export type Log = {
  info(record: object, message?: string): void
  warn(record: object, message?: string): void
  error(record: object, message?: string): void
  fatal(record: object, message?: string): void
  /** Write what is still in memory, before the process ends. */
  flush(): void
}

/** Lines are gathered up to this many bytes, or this many milliseconds, whichever comes first. */
const batchBytes = 8_192
const batchMs = 200

/**
 * Open the log. Lines are written in batches and off the event loop, so a process that is killed
 * loses at most the lines of its last 200 ms (or 8 KiB).
 */
export function openLog(level: LogLevel): Log {
  const destination = pino.destination({ dest: 1, sync: false, minLength: batchBytes })
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
  const timer = setInterval(() => {
    destination.flush()
  }, batchMs)
  timer.unref()
  return {
    info: logger.info.bind(logger),
    warn: logger.warn.bind(logger),
    error: logger.error.bind(logger),
    fatal: logger.fatal.bind(logger),
    flush: () => {
      destination.flushSync()
    },
  }
}
