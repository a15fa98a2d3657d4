import { z } from 'zod'

/** Milliseconds since the epoch, or undefined where the column is NULL. */
export const instant = z
  .number()
  .nullable()
  .transform((ms) => ms ?? undefined)

/** Text, or undefined where the column is NULL. */
export const optionalText = z
  .string()
  .nullable()
  .transform((text) => text ?? undefined)

/** One driver answers with Buffers, the other with plain Uint8Arrays. */
export const bytes = z.instanceof(Uint8Array).transform((octets) => Buffer.from(octets))

/** The row of a statement that answers none, or none that anybody looks at. */
export const ignored = z.object({})

/** Whether a record may be used at present. */
export const state = z.enum(['enabled', 'disabled'])

export const texts = z.array(z.string()).readonly()

/** When a record was made and last changed, in milliseconds since the epoch. */
export const times = { created_at_ms: z.number(), updated_at_ms: z.number() }

/** How many records there are. */
export const total = z.object({ total: z.int() })

/** What every record that an API shows has: when it was made and changed, and how often. */
export const history = { ...times, version: z.int() }

/** The columns of `history`, of a table without another name in the statement. */
export const historyColumns = `(extract(epoch FROM created_at) * 1000)::float8 AS created_at_ms,
  (extract(epoch FROM updated_at) * 1000)::float8 AS updated_at_ms, version`
