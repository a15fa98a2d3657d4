import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'

/** The services of the gateway whose documents share config/apis/common.yaml. */
export const apiServices = ['iam', 'org', 'gatehouse', 'quota'] as const

/** An operation as a document describes it. */
export type DescribedOperation = {
  readonly operationId: string
  readonly method: string
  /** With `{parameters}`. */
  readonly path: string
  /** By status, `default` included. */
  readonly responses: Readonly<Record<string, DescribedResponse>>
  /** The problems of a request's body; undefined where the operation takes none. */
  readonly bodyProblems: ((body: unknown) => string) | undefined
}

export type DescribedResponse = {
  readonly headers: readonly string[]
  /** The problems of an answer's body; undefined where it has none. */
  readonly bodyProblems: ((body: unknown) => string) | undefined
}

type Json = Readonly<Record<string, unknown>>

const base = 'https://documents.example/'
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)

const documents = new Map(
  [...apiServices, 'common'].map((name) => {
    const file = resolve(import.meta.dirname, `../../config/apis/${name}.yaml`)
    const document = parse(readFileSync(file, 'utf8')) as Json
    ajv.addSchema({ ...document, $id: `${base}${name}.yaml` })
    return [`${name}.yaml`, document]
  }),
)

/** Every operation of the gateway's own resources, by its id. */
export const operations: ReadonlyMap<string, DescribedOperation> = new Map(
  apiServices.flatMap((name) => operationsOf(`${name}.yaml`)).map((one) => [one.operationId, one]),
)

function operationsOf(file: string): readonly DescribedOperation[] {
  const paths = documents.get(file)?.['paths'] as Readonly<Record<string, Json>>
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([member]) => member !== 'parameters' && !member.startsWith('x-'))
      .map(([method, operation]) => describe(file, path, method, operation as Json)),
  )
}

function describe(file: string, path: string, method: string, operation: Json): DescribedOperation {
  const at = `/paths/${escaped(path)}/${method}`
  const body = operation['requestBody'] as { content: Json } | undefined
  const [bodyType] = Object.keys(body?.content ?? {})
  const responses = Object.keys(operation['responses'] as Json).map((status) => [
    status,
    response(file, `${at}/responses/${status}`),
  ])
  return {
    operationId: String(operation['operationId']),
    method: method.toUpperCase(),
    path,
    responses: Object.fromEntries(responses) as Readonly<Record<string, DescribedResponse>>,
    bodyProblems:
      bodyType && checker(file, `${at}/requestBody/content/${escaped(bodyType)}/schema`),
  } as DescribedOperation
}

function response(file: string, pointer: string): DescribedResponse {
  const value = valueAt(file, pointer)
  if (typeof value['$ref'] === 'string') {
    const [other = '', fragment = ''] = value['$ref'].split('#')
    return response(other === '' ? file : other, fragment)
  }
  const headers = Object.keys(value['headers'] ?? {})
  const hasBody = value['content'] !== undefined
  const schema = `${pointer}/content/${escaped('application/json')}/schema`
  return { headers, bodyProblems: hasBody ? checker(file, schema) : undefined }
}

function checker(file: string, pointer: string): (body: unknown) => string {
  const reference = `${base}${file}#${encodeURI(pointer).replaceAll('%257B', '%7B')}`
  const validate = ajv.compile({ $ref: reference })
  return (body) => (validate(body) ? '' : ajv.errorsText(validate.errors))
}

function valueAt(file: string, pointer: string): Json {
  return pointer
    .split('/')
    .slice(1)
    .reduce<Json>(
      (parent, step) => {
        const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
        return parent[name] as Json
      },
      documents.get(file) ?? {},
    )
}

function escaped(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1')
}
