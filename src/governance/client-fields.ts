import { z } from 'zod'
import { displayName } from '../resource-api/fields.ts'
import { state } from '../resource-api/state.ts'

/** Members of a JWK that are secret (RFC 7518 §6.2.2, §6.3.2, §6.4.1; RFC 8037 §2). */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const publicKey = z
  .looseObject({ kty: z.string().min(1).max(32) })
  .refine((key) => !secretMembers.some((name) => Object.hasOwn(key, name)), {
    message: 'Must not hold a private or symmetric key',
  })

/** RFC 7517 §5 */
const keySet = z.looseObject({ keys: z.array(publicKey).max(20) })

/** scope-token, RFC 6749 §3.3 */
const scope = z
  .string()
  .max(255)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'Must be a scope: visible characters but " and \\')

const described = {
  display_name: displayName,
  scopes: z.array(scope).max(100).default([]),
  auth_methods: z
    .array(z.enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt']))
    .min(1)
    .max(3)
    .default(['client_secret_basic']),
  jwks: keySet.nullish(),
}

/** A client as bodies of new ones have it. */
export const NewClient = z.object(described).refine(hasKeysItNeeds, missingKeys())

/** A client as it is after a change. */
export const ChangedClient = z.object({ ...described, state }).refine(hasKeysItNeeds, missingKeys())

function hasKeysItNeeds(client: {
  readonly auth_methods: readonly string[]
  readonly jwks?: object | null | undefined
}): boolean {
  return (
    !client.auth_methods.includes('private_key_jwt') || (client.jwks ?? undefined) !== undefined
  )
}

function missingKeys() {
  return { path: ['jwks'], message: 'Is required for private_key_jwt' }
}
