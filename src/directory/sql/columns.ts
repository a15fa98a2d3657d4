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
