import { isObject, itemsOf, memberOf, membersOf, textOf } from '../catalog/json.ts'
import { grantsThatOpen } from '../catalog/lifecycle.ts'
import { rootOf, memberAt, valueAt } from '../catalog/cursor.ts'
import { catalogue, type ErrorCode } from '../errors/catalogue.ts'
import { errorPagePath } from '../errors/page.ts'
import type { DocumentedOperation } from './audience.ts'
import type { Json } from './json.ts'
import { html, page, paragraphs, type Html } from './html.ts'
import type { Described } from './merged-document.ts'
import { referencePath } from './reserved-paths.ts'
import { createListSchema, resolved } from './schema-list.ts'

/** The page that lists every group with its operations. */
export function indexPage(operations: readonly DocumentedOperation[]): string {
  const groups = Map.groupBy(operations, ({ group }) => group.name)
  return page(
    'API reference',
    html`<h1>API reference</h1>
      <p>
        As one document: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).
        <a href="/docs/errors">Error codes</a>
      </p>
      <nav>
        ${[...groups].map(
          ([name, ofGroup]) =>
            html`<h2><a href="${groupPath(name)}">${titleOf(ofGroup, name)}</a></h2>
              <p class="note">${name}</p>
              ${contents(ofGroup, groupPath(name))}`,
        )}
      </nav>`,
  )
}

/** Everything about the operations of one group. */
export function groupPage(name: string, { operations, components }: Described): string {
  const all = operations.map(({ operation }) => operation)
  const root = all[0] && rootOf(all[0].source.document)
  const title = titleOf(all, name)
  return page(
    title,
    html`<p><a href="${referencePath}">All APIs</a></p>
      <h1>${title}</h1>
      ${paragraphs(valueAt(root && memberAt(root, 'info'), 'description'))}
      <nav>${contents(all, '')}</nav>
      ${operations.map(({ operation, described }, place) =>
        operationSection(operation, described, components, anchorOf(operation, place)),
      )}`,
  )
}

function titleOf(operations: readonly DocumentedOperation[], name: string): string {
  const root = operations[0] && rootOf(operations[0].source.document)
  return textOf(valueAt(root && memberAt(root, 'info'), 'title')) ?? name
}

export function groupPath(name: string): string {
  // A name of dots alone would be taken for a step in the path, whatever it is encoded as.
  return `${referencePath}/${name.split('/').map(encodeURIComponent).join('/')}`
}

function contents(operations: readonly DocumentedOperation[], path: string): Html {
  return html`<ul>
    ${operations.map(
      (operation, place) =>
        html`<li>
          <a href="${path}#${anchorOf(operation, place)}"
            ><span class="method">${operation.method}</span> <code>${operation.path}</code></a
          >
        </li>`,
    )}
  </ul>`
}

function anchorOf({ method, path }: DocumentedOperation, place: number): string {
  return `${place}-${method}${path}`.replaceAll(/[^A-Za-z0-9]+/g, '-')
}

function operationSection(
  operation: DocumentedOperation,
  described: Json,
  components: Json,
  anchor: string,
): Html {
  const { method, path, group, lifecycle } = operation
  const hosts = group.hosts.length === 0 ? undefined : group.hosts.join(', ')
  const grants = grantsThatOpen(lifecycle, group.name)
  return html`<section>
    <h2 id="${anchor}">
      ${textOf(described['summary']) ?? `${method} ${path}`}
      <span class="stage">${textOf(described['x-lifecycle-stage'])}</span>
    </h2>
    <p><span class="method">${method}</span> <code>${path}</code></p>
    ${hosts === undefined ? undefined : html`<p class="note">Host: ${hosts}</p>`}
    ${endOf(described)}
    ${grants.length === 0 ? undefined : html`<p class="note">By grant: ${grants.join(' or ')}</p>`}
    ${paragraphs(described['description'])}
    <h3>AUTHORIZATIONS</h3>
    ${authorizations(described)} ${parameterTable(described, components)}
    ${requestBody(described, components)} ${responses(described, components)}
  </section>`
}

function endOf(described: Json): Html | undefined {
  const [since, until] = [described['x-deprecated-at'], described['x-sunset-at']].map(textOf)
  if (since === undefined && until === undefined) return undefined
  return html`<p>
    ${since === undefined ? undefined : `Deprecated from ${since} on. `}
    ${until === undefined ? undefined : `May be gone from ${until} on.`}
  </p>`
}

/** Alternatives, of which one is enough; what stands in one line is needed together. */
function authorizations({ security }: Json): Html {
  const alternatives = itemsOf(security)
  if (alternatives.length === 0) return html`<p>None: anybody may call it.</p>`
  return html`<ul>
    ${alternatives.map((alternative) => {
      const members = membersOf(alternative).map(([scheme, scopes]) => {
        const asked = itemsOf(scopes).map(String).join(' ')
        return asked === '' ? scheme : `${scheme} (${asked})`
      })
      return html`<li><code>${members.join(' and ') || 'none'}</code></li>`
    })}
  </ul>`
}

function parameterTable({ parameters }: Json, components: Json): Html | undefined {
  const listed = itemsOf(parameters).map((parameter) => resolved(components, parameter))
  if (listed.length === 0) return undefined
  const listSchema = createListSchema(components)
  return html`<h3>Parameters</h3>
    <div class="scroll">
      <ul>
        ${listed.map((parameter) => {
          const schema = memberOf(parameter, 'schema')
          const name = textOf(memberOf(parameter, 'name')) ?? ''
          const required = memberOf(parameter, 'required') === true ? [name] : []
          const properties = { [name]: schema ?? {} }
          return html`<li>
            in ${textOf(memberOf(parameter, 'in'))} ${listSchema({ properties, required })}
            ${paragraphs(memberOf(parameter, 'description'))} ${examples(parameter, components)}
          </li>`
        })}
      </ul>
    </div>`
}

function requestBody({ requestBody: body }: Json, components: Json): Html | undefined {
  const meant = resolved(components, body)
  if (!isObject(meant)) return undefined
  const need = meant['required'] === true ? 'required' : 'may be left out'
  return html`<h3>Request body <span class="note">${need}</span></h3>
    ${paragraphs(meant['description'])} ${contentOf(meant, components)}`
}

function contentOf(owner: unknown, components: Json): readonly Html[] {
  const listSchema = createListSchema(components)
  return membersOf(memberOf(owner, 'content')).map(
    ([type, media]) =>
      html`<p><code>${type}</code></p>
        ${listSchema(memberOf(media, 'schema'))} ${examples(media, components)}`,
  )
}

function responses({ responses: declared }: Json, components: Json): Html {
  return html`<h3>Responses</h3>
    <dl>
      ${membersOf(declared).map(([status, written]) => {
        const response = resolved(components, written)
        const fields = membersOf(memberOf(response, 'headers')).map(([name]) => name)
        return html`<dt><strong>${status}</strong></dt>
          <dd>
            ${paragraphs(memberOf(response, 'description'))}
            ${
              fields.length === 0
                ? undefined
                : html`<p class="note">Header fields: <code>${fields.join(', ')}</code></p>`
            }
            ${errorLinks(status)} ${contentOf(response, components)}
          </dd>`
      })}
    </dl>`
}

/** The codes that answers of this status can have. */
function errorLinks(status: string): Html | undefined {
  const codes = codesByStatus.get(status)
  if (codes === undefined) return undefined
  const links = codes.map(
    (code, place) =>
      html`${place === 0 ? undefined : ', '}<a href="${errorPagePath(code)}"
          ><code>${code}</code></a
        >`,
  )
  return html`<p class="note">Codes: ${links}</p>`
}

const codesByStatus: ReadonlyMap<string, readonly ErrorCode[]> = Map.groupBy(
  Object.keys(catalogue) as ErrorCode[],
  (code) => String(catalogue[code].status),
)

const maxExampleLength = 20_000

function examples(owner: unknown, components: Json): readonly Html[] {
  const schema = resolved(components, memberOf(owner, 'schema'))
  const single = memberOf(owner, 'example') ?? memberOf(schema, 'example')
  const named = membersOf(memberOf(owner, 'examples')).map(([name, example]) => {
    return [name, memberOf(resolved(components, example), 'value')] as const
  })
  const all = single === undefined ? named : [['', single] as const, ...named]
  return all
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value, undefined, 2)
      return html`<p class="note">Example ${name}</p>
        <pre tabindex="0">${text.slice(0, maxExampleLength)}</pre> `
    })
}
