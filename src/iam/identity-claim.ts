import { z } from 'zod'

/** Which claim names the caller: `claims.sub`, or a member of it further in. */
export const identityClaim = z
  .string()
  .max(255)
  .regex(/^claims(?:\.[\x21-\x2d\x2f-\x7e]+)+$/, 'Must be of the form claims.name')
