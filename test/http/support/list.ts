import { expect, test } from 'vitest'
import type { Api, ApiAnswer, ApiObject, ApiRequest } from '../../support/api.ts'
import { at, make, newPlace, type Place, type TestedCollection } from './collection.ts'

/** What a list guarantees. */
export function describeList(api: Api, tested: TestedCollection): void {
  const operation = `list${tested.many}`

  function first(place: Place, query: Readonly<Record<string, string>> = {}): Promise<ApiAnswer> {
    return api.call(operation, { path: place.path, query })
  }

  /** The pages that a link leads to, one after the other. */
  async function pages(
    page: ApiAnswer,
    link: 'next' | 'prev',
    request: ApiRequest,
  ): Promise<readonly ApiAnswer[]> {
    const there = page.body.metadata[link]
    if (there === undefined) return [page]
    const following = await api.follow(operation, there, request)
    expect(following.status).toBe(200)
    return [page, ...(await pages(following, link, request))]
  }

  async function makeMany(place: Place): Promise<readonly ApiObject[]> {
    const made: ApiObject[] = []
    for (let count = 0; count < 5; count++) made.push(await make(api, tested, place))
    return made
  }

  test('200 shows everything once, page by page, forwards and backwards', async () => {
    const place = await newPlace(api, tested)
    const made = idsOf(await makeMany(place))
    const start = await first(place, { page_size: '2' })
    expect(start.body.metadata).not.toHaveProperty('prev')
    const request = { path: place.path }
    const forwards = await pages(start, 'next', request)
    const ids = forwards.flatMap(({ body }) => idsOf(body.data))
    expect(ids).toEqual([...new Set(ids)].toSorted())
    expect(made.filter((id) => !ids.includes(id))).toEqual([])
    expect(forwards.map(({ body }) => body.metadata['total_size'])).toEqual(
      forwards.map(() => ids.length),
    )
    const end = await api.follow(operation, start.body.metadata['last'], request)
    expect(end.body.metadata).not.toHaveProperty('next')
    const backwards = await pages(end, 'prev', request)
    expect(backwards.toReversed().flatMap(({ body }) => idsOf(body.data))).toEqual(ids)
    const again = await api.follow(operation, end.body.metadata['first'], request)
    expect(again.body.data).toEqual(start.body.data)
  })

  test('200 shows once what is there all the time, whatever comes and goes meanwhile', async () => {
    const place = await newPlace(api, tested)
    const made = await makeMany(place)
    const start = await first(place, { page_size: '2' })
    const [gone] = made.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    await api.call(`delete${tested.one}`, at(place, gone ?? { id: '' }))
    await makeMany(place)
    const following = await pages(start, 'next', { path: place.path })
    const ids = following.flatMap(({ body }) => idsOf(body.data))
    expect(new Set(ids).size).toBe(ids.length)
    const stayed = idsOf(made).filter((id) => id !== gone?.id)
    expect(stayed.filter((id) => !ids.includes(id))).toEqual([])
  })

  test('200 shows what the caller’s organization has, and nothing of another', async () => {
    const place = await newPlace(api, tested, api.stranger)
    const theirs = await make(api, tested, place)
    const { authorization } = api.stranger
    const query = { page_size: '100' }
    const seen = await api.call(operation, { path: place.path, query, authorization })
    expect(idsOf(seen.body.data)).toContain(theirs.id)
    const mine = await first(await newPlace(api, tested), query)
    expect(idsOf(mine.body.data)).not.toContain(theirs.id)
  })

  test.each(['0', '101', '-1', '1.5', 'ten', '99999'])(
    '400 refuses a page_size of %s',
    async (page_size) => {
      const { status, body } = await first(await newPlace(api, tested), { page_size })
      expect(status).toBe(400)
      expect(body.error.fields).toEqual([expect.objectContaining({ parameter: 'page_size' })])
    },
  )

  test('400 refuses a page_token that is forged, or another organization’s', async () => {
    const place = await newPlace(api, tested)
    await makeMany(place)
    const next = (await first(place, { page_size: '2' })).body.metadata['next']
    const token = new URL(next ?? '').searchParams.get('page_token') ?? ''
    expect(token.length).toBeLessThanOrEqual(255)
    const flipped = token.startsWith('A') ? `B${token.slice(1)}` : `A${token.slice(1)}`
    for (const page_token of [flipped, token.slice(0, -1), `${token}A`, 'x', `${token}=`])
      expect((await first(place, { page_token })).status).toBe(400)
    const there = await newPlace(api, tested, api.stranger)
    const query = { page_token: token }
    const { authorization } = api.stranger
    const foreign = await api.call(operation, { path: there.path, query, authorization })
    expect(foreign.status).toBe(400)
    expect((await first(place, query)).status).toBe(200)
  })
}

/** What a filter guarantees: what it lets through, and that its pages keep it. */
export function describeFilter(
  api: Api,
  tested: TestedCollection,
  parameter: string,
  valueOf: (made: ApiObject) => string,
): void {
  const operation = `list${tested.many}`

  test(`200 shows what ${parameter} lets through, and its links keep it`, async () => {
    const place = await newPlace(api, tested)
    const [made] = [await make(api, tested, place), await make(api, tested, place)]
    const query = { [parameter]: valueOf(made), unknown: 'x', page_size: '1' }
    const found = await api.call(operation, { query })
    expect(found.body.data.map(valueOf)).toEqual([valueOf(made)])
    const link = found.body.metadata['last'] ?? ''
    expect(new URL(link).searchParams.get(parameter)).toBe(valueOf(made))
    const last = await api.follow(operation, link)
    expect(last.body.data.map(valueOf)).toEqual([valueOf(made)])
    const page_token = new URL(link).searchParams.get('page_token') ?? ''
    // A token is for the list with that filter alone.
    expect((await api.call(operation, { query: { page_token } })).status).toBe(400)
    const none = await api.call(operation, { query: { [parameter]: `${valueOf(made)}x` } })
    expect(none.body).toMatchObject({ data: [], metadata: { total_size: 0 } })
  })
}

function idsOf(objects: readonly ApiObject[]): readonly string[] {
  return objects.map(({ id }) => id)
}
