/** Where admission says that Redis went away or came back; an error is logged as `err`. */
export type Log = {
  info(record: object, message: string): void
  warn(record: object, message: string): void
}
