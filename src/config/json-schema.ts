import { z } from 'zod'
import { configurationSchema } from './schema.ts'

/** The JSON Schema of the configuration file, for editors. */
export function configurationJsonSchema(): unknown {
  return z.toJSONSchema(configurationSchema, {
    io: 'input',
    override({ jsonSchema }) {
      // A number or a flag may come from the environment.
      if (jsonSchema.type === 'integer' || jsonSchema.type === 'boolean') {
        const { type, minimum, maximum, ...rest } = jsonSchema
        const literal = {
          type,
          ...(minimum === undefined ? {} : { minimum }),
          ...(maximum === undefined ? {} : { maximum }),
        }
        for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key)
        Object.assign(jsonSchema, rest, {
          anyOf: [literal, { type: 'string', pattern: '^\\$\\{.+\\}$' }],
        })
      }
    },
  })
}

/** The text of config/gateway.schema.json. */
export function configurationJsonSchemaText(): string {
  return `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`
}
