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

/** So many access records are gathered, and other lines up to this many bytes. */
const batchRecords = 64
const otherBytes = 8_192

/** Lines leave in pieces of at most this many characters, and one line. */
const pieceLength = 32_768

/** And no line longer than this. */
const batchMs = 200

/** pino's own, which takes bytes where it is told to; its type knows text only. */
type Destination = {
  write(bytes: Buffer): unknown
  flush(): void
  flushSync(): void
}

/**
 * Open the log. Nothing is written on the event loop. Records of the access log are gathered, so a
 * process that is killed loses at most those of its last 200 ms (or 64 of them).
 *
 * They become lines together, which takes half of what each takes for itself: what makes a line has left the
 * caches of the CPU by the next request.
 */
export function openLog(level: LogLevel): Log {
  const destination = pino.destination({
    dest: 1,
    sync: false,
    minLength: otherBytes,
    maxWrite: 2 * pieceLength,
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
  let gathered: { readonly time: string; readonly record: AccessRecord }[] = []
  const writeGathered = (): void => {
    let text = ''
    for (const { time, record } of gathered) {
      text += accessLine(time, record)
      if (text.length < pieceLength) continue
      destination.write(Buffer.from(text))
      text = ''
    }
    gathered = []
    if (text !== '') destination.write(Buffer.from(text))
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
      gathered.push({ time: timestamp(), record })
      if (gathered.length >= batchRecords) writeGathered()
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
