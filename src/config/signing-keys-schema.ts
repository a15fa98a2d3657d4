import { z } from 'zod'

const keyFile = z.string().min(1)

const secondsPerDay = 86_400

/** How the keys come about that our tokens are signed with. */
export const signingKeys = z
  .strictObject({
    rotateEveryDays: z
      .union([z.literal('never'), z.int().min(1).max(3_650)], 'Must be 1 to 3650, or never')
      .default(30)
      .describe('How long a key signs before the next one takes over; never: by command alone.'),
    publishAheadSeconds: z
      .int()
      // The key set may be cached for 300 s, and gateways hear of a new key within a minute.
      .min(600)
      .max(30 * secondsPerDay)
      .default(secondsPerDay)
      .describe('How long a key is published before it signs: as long as others cache key sets.'),
    files: z
      .strictObject({
        current: keyFile.describe('The key that signs, with its private part.'),
        next: keyFile.optional().describe('Published already; its private part is not needed.'),
        previous: z.array(keyFile).default([]).describe('Accepted for as long as they stand here.'),
      })
      .optional()
      .describe('PEM or JWK files, Ed25519 or P-256, in place of the directory’s keys.'),
  })
  .refine(
    ({ rotateEveryDays: days, publishAheadSeconds }) =>
      days === 'never' || publishAheadSeconds < days * secondsPerDay,
    { path: ['publishAheadSeconds'], message: 'Must be less than rotateEveryDays' },
  )
  .prefault({})
