import { z } from 'zod'

const like = z.string().regex(/^[\x21-\x7e]+$/, 'Must be visible characters without spaces')

const operations = z.strictObject({
  group: like.describe('Name of an API group; * stands for any characters.'),
  operationId: like.optional().describe('As in the document; * stands for any characters.'),
  methods: z
    .array(z.string().regex(/^[A-Z]+$/, 'Must be a method in upper case'))
    .min(1)
    .optional()
    .describe('Absent: any. HEAD counts as GET.'),
  path: like.optional().describe('As served, parameters in braces; * stands for any characters.'),
})

const role = z.strictObject({
  description: z.string().max(1_000).optional(),
  operations: z.array(operations).min(1).describe('What the role may do.'),
})

/** Given to the first user, so that somebody may do everything whatever else is configured. */
const defaultRoles = { OrganizationAdmin: { operations: [{ group: '*' }] } }

/** Sets of operations by name. */
export const roles = z
  .record(z.string().regex(/^[A-Za-z][A-Za-z0-9._-]{0,99}$/, 'Must be the name of a role'), role)
  .default({})
  .transform((configured): Readonly<Record<string, z.output<typeof role>>> => ({
    ...defaultRoles,
    ...configured,
  }))
  .describe('Sets of operations that role bindings give, for groups with authorization: roles.')
