import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { compileCatalog } from '../../src/catalog/catalog.ts'
import { basic } from '../support/basic.ts'
import {
  answered,
  introspector,
  makeClient,
  post,
  useOAuth,
  type Answered,
  type Serving,
} from './serving.ts'

const serving = useOAuth()
const path = resolve(import.meta.dirname, '../../config/apis/oauth.yaml')

type Content = {
  readonly schema: object
  readonly examples: Readonly<Record<string, { readonly value: { readonly error?: string } }>>
}
type Described = {
  readonly headers?: Readonly<Record<string, unknown>>
  readonly content?: Readonly<Record<string, Content>>
}
type Operation = {
  readonly security: readonly unknown[]
  readonly responses: Readonly<Record<string, Described & { readonly $ref?: string }>>
}
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly responses: Readonly<Record<string, Described>>
    readonly schemas: Readonly<Record<string, object>>
  }
}

async function readDocument(): Promise<Document> {
  return parse(await readFile(path, 'utf8')) as Document
}

/** Each response of each operation, references followed. */
function responsesOf(document: Document): readonly (readonly [string, Described])[] {
  return Object.entries(document.paths).flatMap(([route, item]) =>
    Object.values(item).flatMap(({ responses }) =>
      Object.entries(responses).map(([status, response]) => {
        const name = response.$ref?.split('/').at(-1) ?? ''
        return [`${route} ${status}`, document.components.responses[name] ?? response] as const
      }),
    ),
  )
}

/** What accepts bodies by a schema of the document. */
function acceptor({ components }: Document, schema: object): z.ZodType {
  const text = JSON.stringify({ ...schema, $defs: components.schemas })
  return z.fromJSONSchema(
    JSON.parse(
      text.replaceAll('#/components/schemas/', '#/$defs/'),
    ) as z.core.JSONSchema.JSONSchema,
  )
}

test('the document compiles, and no operation takes a credential of the gateway', async () => {
  const group = {
    name: 'oauth',
    documentPath: path,
    mount: '',
    hosts: [],
    schemes: {},
    undeclaredSecurity: undefined,
  }
  const { catalog, warnings } = await compileCatalog([group])
  expect(warnings).toEqual([])
  expect(catalog.operations.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
    'GET /.well-known/oauth-authorization-server',
    'GET /oauth2/jwks.json',
    'POST /oauth2/introspect',
    'POST /oauth2/revoke',
    'POST /oauth2/token',
  ])
  const { paths } = await readDocument()
  for (const operation of Object.values(paths).flatMap((item) => Object.values(item)))
    expect(operation.security).toEqual([])
})

test('every example of the document fits its schema', async () => {
  const document = await readDocument()
  const described = responsesOf(document).filter(([, { content }]) => content !== undefined)
  expect(described.length).toBeGreaterThan(15)
  for (const [name, { content }] of described)
    for (const { schema, examples } of Object.values(content ?? {})) {
      expect(Object.keys(examples), name).not.toEqual([])
      for (const { value } of Object.values(examples))
        expect(acceptor(document, schema).safeParse(value).error?.issues ?? [], name).toEqual([])
    }
})

/** Requests that together have every answer that the service gives. */
async function everyAnswer(oauth: Serving): Promise<readonly (readonly [string, Answered])[]> {
  const { id, secret } = await makeClient(oauth)
  const other = await makeClient(oauth)
  const at = (route: string): string => oauth.issuer + route
  const partner = { authorization: basic(id, secret) }
  const upstream = { authorization: basic(introspector.id, introspector.secret) }
  const stranger = { authorization: basic(id, 'wrong') }
  const grant = { grant_type: 'client_credentials' }
  const others = await post(at('/oauth2/token'), grant, {
    authorization: basic(other.id, other.secret),
  })
  const token = String(others.body['access_token'])
  const asked = async (
    route: string,
    answer: Promise<Answered>,
  ): Promise<readonly [string, Answered]> => [route, await answer]
  const sent = (
    route: string,
    form: Record<string, string> | string,
    options = {},
  ): Promise<readonly [string, Answered]> => asked(route, post(at(route), form, options))
  const got = (route: string): Promise<readonly [string, Answered]> =>
    asked(route, fetch(at(route)).then(answered))
  const long = 'a'.repeat(70_000)
  return Promise.all([
    sent('/oauth2/token', grant, partner),
    sent('/oauth2/token', {}, partner),
    sent('/oauth2/token', { grant_type: 'password' }, partner),
    sent('/oauth2/token', { ...grant, scope: 'x' }, partner),
    sent('/oauth2/token', { ...grant, resource: 'x' }, partner),
    sent('/oauth2/token', grant, stranger),
    sent('/oauth2/token', long, partner),
    sent('/oauth2/revoke', { token: 'x' }, partner),
    sent('/oauth2/revoke', {}, partner),
    sent('/oauth2/revoke', { token }, partner),
    sent('/oauth2/revoke', { token }, stranger),
    sent('/oauth2/revoke', long, partner),
    sent('/oauth2/introspect', { token }, upstream),
    sent('/oauth2/introspect', {}, upstream),
    sent('/oauth2/introspect', { token }, stranger),
    sent('/oauth2/introspect', long, upstream),
    got('/oauth2/jwks.json'),
    got('/.well-known/oauth-authorization-server'),
  ])
}

test('every answer is as the document says, and the document says no more', async () => {
  const document = await readDocument()
  const described = new Map(responsesOf(document))
  const answers = await everyAnswer(await serving())
  const failing = await serving(undefined, { withoutKeys: true })
  const { id, secret } = await makeClient(failing)
  const authorization = basic(id, secret)
  const grant = { grant_type: 'client_credentials' }
  const failures = [
    ['/oauth2/token', await post(`${failing.issuer}/oauth2/token`, grant, { authorization })],
    ['/oauth2/jwks.json', await answered(await fetch(`${failing.issuer}/oauth2/jwks.json`))],
  ] as const
  const told = new Set<string>()
  for (const [route, { status, headers, body, text }] of [...answers, ...failures]) {
    const name = `${route} ${status}`
    const response = described.get(name)
    expect(response, name).toBeDefined()
    for (const header of Object.keys(response?.headers ?? {}))
      expect(headers.has(header), `${name} ${header}`).toBe(true)
    const content = response?.content?.['application/json']
    if (content === undefined) expect(text).toBe('')
    else expect(acceptor(document, content.schema).safeParse(body).success, name).toBe(true)
    const error = body['error']
    if (error !== undefined) {
      const errors = Object.values(content?.examples ?? {}).map(({ value }) => value.error)
      expect(errors, name).toContain(error)
    }
    told.add(`${name} ${String(error)}`)
  }
  // What the gateway answers itself, and outages of the directory, are seen elsewhere.
  const seenElsewhere = ['/oauth2/revoke 503', '/oauth2/introspect 503']
  const promised = [...described].flatMap(([name, { content }]) => {
    const examples = Object.values(
      content?.['application/json']?.examples ?? { none: { value: {} } },
    )
    return examples.map(({ value }) => `${name} ${String(value.error)}`)
  })
  const missing = promised.filter(
    (one) =>
      !told.has(one) &&
      !one.includes(' 429') &&
      !seenElsewhere.some((name) => one.startsWith(name)),
  )
  expect(missing).toEqual([])
})
