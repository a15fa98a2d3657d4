import { GatewayError } from '../errors/gateway-error.ts'
import type { PageTokens, Place } from './page-token.ts'

/** A list as pages of it are read: by the ids of its objects, in either direction. */
export type Listing<Listed> = {
  /**
   * Which list of whose, filters included: a token is for one.
   */
  readonly name: string
  /** Address of the list with its filters, without a page; ends with `?` or `&`. */
  readonly address: string
  readonly page: (part: Part) => Promise<readonly Listed[]>
  readonly count: () => Promise<number>
  readonly idOf: (listed: Listed) => string
}

/** What of a list is read; always in the list's order. */
export type Part = {
  readonly after?: string
  readonly before?: string
  readonly atEnd?: boolean
  readonly limit: number
}

/** A page, and where the others are. */
export type PageOf<Listed> = {
  readonly items: readonly Listed[]
  readonly metadata: {
    readonly first: string
    readonly last: string
    readonly prev?: string
    readonly next?: string
    readonly total_size: number
  }
}

const defaultPageSize = 10
const maxPageSize = 100

/**
 * Read the page that a request asks for. What is there all the time is listed once, whatever comes
 * and goes meanwhile.
 *
 * @throws {GatewayError} INVALID_REQUEST
 */
export async function readPage<Listed>(
  query: URLSearchParams,
  tokens: PageTokens,
  listing: Listing<Listed>,
): Promise<PageOf<Listed>> {
  const place = await placeOf(query, tokens, listing)
  const { from, isBackward, pageSize } = place
  // One more than is shown tells whether there are more.
  const found = await listing.page({ ...partOf(from, isBackward), limit: pageSize + 1 })
  const hasMore = found.length > pageSize
  const items = isBackward ? found.slice(-pageSize) : found.slice(0, pageSize)
  const hasLess = from !== undefined && (await isThere(listing, items, place))
  const link = (there: Partial<Place>): string =>
    `${listing.address}page_token=${tokens.write({ ...place, from: undefined, ...there }, listing.name)}`
  const before = { isBackward: true, from: idAt(listing, items, 0) }
  const after = { isBackward: false, from: idAt(listing, items, -1) }
  return {
    items,
    metadata: {
      first: link({ isBackward: false }),
      last: link({ isBackward: true }),
      ...((isBackward ? hasMore : hasLess) ? { prev: link(before) } : {}),
      ...((isBackward ? hasLess : hasMore) ? { next: link(after) } : {}),
      total_size: place.totalSize,
    },
  }
}

async function placeOf<Listed>(
  query: URLSearchParams,
  tokens: PageTokens,
  listing: Listing<Listed>,
): Promise<Place> {
  const token = query.get('page_token') ?? ''
  if (token !== '') {
    const place = tokens.read(token, listing.name)
    if (place !== undefined) return place
    throw invalid('page_token', 'Must be from a link of this list, with the same filters')
  }
  const pageSize = pageSizeOf(query.get('page_size'))
  // Counted once: of a million it takes as long as many pages.
  return { from: undefined, isBackward: false, pageSize, totalSize: await listing.count() }
}

function pageSizeOf(text: string | null): number {
  if (text === null || text === '') return defaultPageSize
  const pageSize = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0
  if (pageSize >= 1 && pageSize <= maxPageSize) return pageSize
  throw invalid('page_size', `Must be a whole number from 1 to ${maxPageSize}`)
}

/** A parameter of the query that cannot be used. */
export function invalid(parameter: string, message: string): GatewayError {
  return new GatewayError('INVALID_REQUEST', {
    details: `The parameter ${parameter} is not valid.`,
    fields: [{ parameter, message }],
  })
}

function partOf(from: string | undefined, isBackward: boolean): Omit<Part, 'limit'> {
  if (isBackward) return from === undefined ? { atEnd: true } : { before: from }
  return from === undefined ? {} : { after: from }
}

/** Whether anything is on the side of a page that it was reached from. */
async function isThere<Listed>(
  listing: Listing<Listed>,
  items: readonly Listed[],
  { isBackward }: Place,
): Promise<boolean> {
  const edge = idAt(listing, items, isBackward ? -1 : 0)
  const found = await listing.page({ ...partOf(edge, !isBackward), limit: 1 })
  return found.length > 0
}

/** Of a page that has become empty, its neighbour is the end of the list that it was reached from. */
function idAt<Listed>(
  { idOf }: Listing<Listed>,
  items: readonly Listed[],
  index: 0 | -1,
): string | undefined {
  const item = items.at(index)
  return item === undefined ? undefined : idOf(item)
}
