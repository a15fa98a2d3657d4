import { json, type ApiAnswer, type ApiClient, type Json } from './client.ts'
import { CliError, exitCodes } from './exit.ts'
import type { Resource } from './resource.ts'

/** Objects are read in pages of this many. */
const pageSize = 100

/** The collection that a kind of object stands in. */
export function collectionPath({ path }: Resource, parentId: string | undefined): string {
  return path.replace('{parent}', encodeURIComponent(parentId ?? ''))
}

/** One object of a collection. */
export function objectPath(resource: Resource, parentId: string | undefined, id: string): string {
  return `${collectionPath(resource, parentId)}/${encodeURIComponent(id)}`
}

/** Which objects of a collection are read. */
type Selection = {
  /** How many at most. */
  readonly limit?: number | undefined
  /** Parameters of the query. */
  readonly filter?: Readonly<Record<string, string>>
}

/** Read objects page by page, up to a number of them. */
export async function listAll(
  api: ApiClient,
  resource: Resource,
  parentId: string | undefined,
  { limit = Infinity, filter = {} }: Selection = {},
): Promise<readonly Json[]> {
  const objects: Json[] = []
  const first = Math.min(pageSize, limit)
  let page: Record<string, string> | undefined = { page_size: String(first) }
  while (page !== undefined && objects.length < limit) {
    const query = new URLSearchParams({ ...filter, ...page }).toString()
    const path = `${collectionPath(resource, parentId)}?${query}`
    const { body }: ApiAnswer = await api.call('GET', path)
    objects.push(...(Array.isArray(body['data']) ? (body['data'] as readonly Json[]) : []))
    page = nextOf(body)
  }
  return objects.slice(0, limit)
}

/**
 * The next page. Links carry the public origin, which need not be where the gateway is reached
 * from here, so that of a link the token alone is followed.
 */
function nextOf({ metadata }: Json): Record<string, string> | undefined {
  const next = (metadata as Json | undefined)?.['next']
  if (typeof next !== 'string' || next === '') return undefined
  const token = URL.parse(next)?.searchParams.get('page_token') ?? undefined
  // Without it, the rest of the list would be missing unnoticed.
  if (token === undefined) throw new CliError(exitCodes.refused, `No page token is in ${next}`)
  return { page_token: token }
}

/** Make an object. The answer holds what is shown once. */
export async function create(
  api: ApiClient,
  resource: Resource,
  parentId: string | undefined,
  object: Json,
): Promise<Json> {
  return (await api.call('POST', collectionPath(resource, parentId), json(object))).body
}

/**
 * Change an object, by a merge patch (RFC 7396), as long as it is as it was last seen.
 *
 * @param ifMatch its entity tag then; undefined: as it is now
 */
export async function update(
  api: ApiClient,
  path: string,
  patch: Json,
  ifMatch: string | undefined,
): Promise<Json> {
  const payload = { ...json(patch, 'application/merge-patch+json'), ifMatch }
  return (await api.call('PATCH', path, payload)).body
}
