import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

/** Where in a list a page is. */
export type Place = {
  /** The id that the page begins at, without it; undefined: the list's end that it is read from. */
  readonly from: string | undefined
  readonly isBackward: boolean
  readonly pageSize: number
  /** How long the list was when its first page was read. */
  readonly totalSize: number
}

/** Places as texts that nobody else can write, each for one list of one organization. */
export type PageTokens = {
  readonly write: (place: Place, list: string) => string
  /** Undefined where we did not write the text for this list. */
  readonly read: (token: string, list: string) => Place | undefined
}

/** 128 bits, so that a token with an id of 100 characters has at most 255. */
const macLength = 16

const Written = z.tuple([z.string().nullable(), z.boolean(), z.int(), z.int()])

/**
 * @param keys the first signs; all verify
 */
export function createPageTokens(keys: readonly Buffer[]): PageTokens {
  const [signing] = keys
  if (signing === undefined) throw new Error('There is no key to sign page tokens with')
  return {
    write: ({ from, isBackward, pageSize, totalSize }, list) => {
      const place = Buffer.from(JSON.stringify([from ?? null, isBackward, pageSize, totalSize]))
      return Buffer.concat([mac(signing, list, place), place]).toString('base64url')
    },
    read: (token, list) => {
      const bytes = Buffer.from(token, 'base64url')
      // One spelling each: the decoder passes over what is not Base64url.
      if (bytes.length <= macLength || bytes.toString('base64url') !== token) return undefined
      const place = bytes.subarray(macLength)
      const given = bytes.subarray(0, macLength)
      const isOurs = keys.some((key) => timingSafeEqual(mac(key, list, place), given))
      return isOurs ? placeOf(place) : undefined
    },
  }
}

function mac(key: Buffer, list: string, place: Buffer): Buffer {
  const digest = createHmac('sha256', key).update(`${list.length}:${list}`).update(place).digest()
  return digest.subarray(0, macLength)
}

/** We wrote it, so it is what we write, or what an earlier version of us wrote. */
function placeOf(bytes: Buffer): Place | undefined {
  const written = Written.safeParse(JSON.parse(bytes.toString()))
  if (!written.success) return undefined
  const [from, isBackward, pageSize, totalSize] = written.data
  return { from: from ?? undefined, isBackward, pageSize, totalSize }
}
