import { expect, test } from 'vitest'
import type { Api } from '../../support/api.ts'
import { at, make, newPlace, type TestedCollection } from './collection.ts'

/** What reading one object guarantees. */
export function describeGet(api: Api, tested: TestedCollection): void {
  const operation = `get${tested.one}`

  test('200 shows the object as it was made, but for what is shown once', async () => {
    const place = await newPlace(api, tested)
    const made = await make(api, tested, place)
    const read = await api.call(operation, at(place, made))
    expect(read.status).toBe(200)
    expect(made).toMatchObject(read.body)
    const query = { page_size: '100' }
    const { body } = await api.call(`list${tested.many}`, { path: place.path, query })
    expect(body.data).toContainEqual(read.body)
  })

  test('404 is the same for another organization’s object and for none', async () => {
    const place = await newPlace(api, tested)
    const there = await newPlace(api, tested, api.stranger)
    const theirs = await make(api, tested, there)
    const { authorization } = place.whose
    const answers = [
      await api.call(operation, at(place, { id: 'none-1' })),
      await api.call(operation, at(place, theirs)),
      await api.call(operation, { ...at(there, theirs), authorization }),
    ]
    for (const { status, body } of answers) {
      expect(status).toBe(404)
      expect(body.error.code).toBe('RESOURCE_NOT_FOUND')
    }
  })
}
