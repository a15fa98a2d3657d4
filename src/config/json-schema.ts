import { z } from 'zod'
import { configurationSchema } from './schema.ts'

/** The JSON Schema of the configuration file, for editors. */
export function configurationJsonSchema(): unknown {
  return z.toJSONSchema(configurationSchema, {
    io: 'input',
    override({ jsonSchema, path }) {
      const references = referencesFor(jsonSchema, path)
      if (references.length === 0) return
      const { description, default: byDefault, ...literal } = jsonSchema
      for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key)
      Object.assign(jsonSchema, {
        ...(description === undefined ? {} : { description }),
        ...(byDefault === undefined ? {} : { default: byDefault }),
        anyOf: [literal, ...references],
      })
    },
  })
}

type JsonSchema = z.core.JSONSchema.BaseSchema

/** A number or a flag may be one reference; text of a certain form may hold some. */
function referencesFor(schema: JsonSchema, path: readonly (string | number)[]) {
  if (path.includes('propertyNames')) return []
  if (schema.type === 'integer' || schema.type === 'boolean') {
    return [{ type: 'string', pattern: '^\\$\\{.+\\}$' }]
  }
  if (!isText(schema) || !isConstrained(schema)) return []
  const isSecret = path.at(-1) === 'secret' || path.at(-1) === 'url'
  return [
    { type: 'string', pattern: '\\$\\{.+\\}' },
    ...(isSecret ? [{ type: 'string', pattern: '^file:' }] : []),
  ]
}

function isText({ type, const: only }: JsonSchema): boolean {
  return type === 'string' || typeof only === 'string'
}

function isConstrained(schema: JsonSchema): boolean {
  const { pattern, enum: options, const: only, minLength = 0 } = schema
  return pattern !== undefined || options !== undefined || only !== undefined || minLength > 1
}

/** The text of config/gateway.schema.json. */
export function configurationJsonSchemaText(): string {
  return `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`
}
