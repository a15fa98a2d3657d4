import { createHash } from 'node:crypto'

/** A Lua script and the type of what it returns. */
export type Script<Reply> = {
  readonly source: string
  /** What Redis knows it by once it is loaded. */
  readonly sha1: string
  /** Check a reply at the border. */
  readonly parse: (reply: unknown) => Reply
}

/**
 * Describe a Lua script. Its source begins with a header that says KEYS, ARGV and returns.
 *
 * @param parse throws where a reply is not what the script returns
 */
export function defineScript<Reply>(
  source: string,
  parse: (reply: unknown) => Reply,
): Script<Reply> {
  return { source, sha1: createHash('sha1').update(source).digest('hex'), parse }
}

/** @throws {TypeError} where the reply is not a list of whole numbers */
export function parseIntegers(reply: unknown): readonly number[] {
  if (!Array.isArray(reply)) throw new TypeError('The script did not return a list')
  return reply.map((value: unknown) => {
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value
    throw new TypeError('The script returned something else than whole numbers')
  })
}
