import { expect, test } from 'vitest'
import type { Api } from '../../support/api.ts'
import { administrator, at, audited, make, newPlace, type TestedCollection } from './collection.ts'

/** What deleting an object guarantees. */
export function describeDelete(api: Api, tested: TestedCollection): void {
  const operation = `delete${tested.one}`

  test('204 and the object is gone, once, and the audit has it', async () => {
    const place = await newPlace(api, tested)
    const made = await make(api, tested, place)
    expect((await api.call(operation, at(place, made))).status).toBe(204)
    expect((await api.call(`get${tested.one}`, at(place, made))).status).toBe(404)
    expect((await api.call(operation, at(place, made))).status).toBe(404)
    expect(await audited(api, administrator(api), made)).toEqual([
      `${tested.auditedAs}.deleted`,
      `${tested.auditedAs}.created`,
    ])
  })

  test('404 for another organization’s object, which stays, and for none', async () => {
    const place = await newPlace(api, tested)
    const there = await newPlace(api, tested, api.stranger)
    const theirs = await make(api, tested, there)
    const { authorization } = place.whose
    const targets = [
      at(place, { id: 'none-1' }),
      at(place, theirs),
      { ...at(there, theirs), authorization },
    ]
    for (const target of targets) expect((await api.call(operation, target)).status).toBe(404)
    expect((await api.call(`get${tested.one}`, at(there, theirs))).status).toBe(200)
  })
}

/** What deleting an object that has versions guarantees beyond that. */
export function describeDeleteOfVersion(api: Api, tested: TestedCollection): void {
  test('412 with the tag of another version keeps the object, 204 with its own does not', async () => {
    const place = await newPlace(api, tested)
    const made = await make(api, tested, place)
    const read = await api.call(`get${tested.one}`, at(place, made))
    const remove = (ifMatch: string) =>
      api.call(`delete${tested.one}`, { ...at(place, made), headers: { 'if-match': ifMatch } })
    expect((await remove('"other"')).status).toBe(412)
    expect((await api.call(`get${tested.one}`, at(place, made))).status).toBe(200)
    expect((await remove(read.headers.get('etag') ?? '')).status).toBe(204)
  })
}
