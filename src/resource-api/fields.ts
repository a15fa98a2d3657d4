import { z } from 'zod'

/** PostgreSQL keeps no NUL in a text. */
const text = z.string().regex(/^[^\0]*$/, 'Must not contain the character U+0000')

/** A name for people. */
export const displayName = text.min(1).max(255)

export const description = text.max(1_000)

/** An id of ours or of somebody else's. */
export const anyId = text.min(1).max(255)

/** Reads a moment in RFC 3339 as milliseconds since the epoch. */
export const moment = z.iso.datetime({ offset: true }).transform((time) => Date.parse(time))
