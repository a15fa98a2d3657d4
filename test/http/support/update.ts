import { expect, test } from 'vitest'
import type { Api } from '../../support/api.ts'
import { administrator, at, audited, make, newPlace, type TestedCollection } from './collection.ts'

/** Patches of a collection, and what they are to lead to. */
export type TestedPatches = {
  /** Another change of one member each time. */
  readonly change: (unique: string) => object
  /** A member that null takes away, and what is shown then. */
  readonly cleared?: { readonly patch: object; readonly shown: object }
  /** A member that no two objects have the same of. */
  readonly unique?: string
  /** Patches that are refused, and the members that are to blame. */
  readonly refused: readonly (readonly [patch: object, ...pointers: string[]])[]
}

/** What changing an object guarantees. */
export function describeUpdate(api: Api, tested: TestedCollection, patches: TestedPatches): void {
  const operation = `update${tested.one}`

  test('200 changes what is named and nothing else, and the audit has it', async () => {
    const place = await newPlace(api, tested)
    const made = await make(api, tested, place)
    const before = await api.call(`get${tested.one}`, at(place, made))
    const body = { ...patches.change('changed'), of_the_future: { is: true } }
    const headers = { 'content-type': 'application/merge-patch+json' }
    const changed = await api.call(operation, { ...at(place, made), body, headers })
    expect(changed.status).toBe(200)
    const { metadata } = before.body
    expect(changed.body.metadata).toEqual({
      ...metadata,
      updated_at: changed.body.metadata['updated_at'],
    })
    expect(changed.body).toMatchObject(patches.change('changed'))
    expect(changed.body).not.toHaveProperty('of_the_future')
    expect(changed.headers.get('etag')).not.toBe(before.headers.get('etag'))
    const read = await api.call(`get${tested.one}`, at(place, made))
    expect(read.body).toEqual(changed.body)
    expect(read.headers.get('etag')).toBe(changed.headers.get('etag'))
    const actions = await audited(api, administrator(api), made)
    expect(actions[0]).toBe(`${tested.auditedAs}.updated`)
  })

  test('200 takes the whole object as it was read, whose read-only members change nothing', async () => {
    const place = await newPlace(api, tested)
    const { body } = await api.call(`get${tested.one}`, at(place, await make(api, tested, place)))
    const metadata = { self: 'https://elsewhere.example', created_at: 'never' }
    const whole = { ...body, metadata, id: 'other', kind: 'Other' }
    const answer = await api.call(operation, { ...at(place, body), body: whole })
    expect(answer.status).toBe(200)
    const updated_at = answer.body.metadata['updated_at']
    expect(answer.body).toMatchObject({ ...body, metadata: { ...body.metadata, updated_at } })
  })

  test('200 with the tag of the version that is there, 412 with any other, which changes nothing', async () => {
    const place = await newPlace(api, tested)
    const made = await make(api, tested, place)
    const tag = (await api.call(`get${tested.one}`, at(place, made))).headers.get('etag') ?? ''
    const patch = (value: string, ifMatch: string) =>
      api.call(operation, {
        ...at(place, made),
        body: patches.change(value),
        headers: { 'if-match': ifMatch },
      })
    expect((await patch('first', tag)).status).toBe(200)
    for (const other of [tag, `W/${tag}`, '"x"', 'x']) {
      const late = await patch('late', other)
      expect(late.status).toBe(412)
      expect(late.body.error.code).toBe('PRECONDITION_FAILED')
    }
    const read = await api.call(`get${tested.one}`, at(place, made))
    expect(read.body).toMatchObject(patches.change('first'))
    expect((await patch('any', '*')).status).toBe(200)
  })

  test('of two callers who change the same version one wins, and the other is told', async () => {
    const place = await newPlace(api, tested)
    const made = await make(api, tested, place)
    const tag = (await api.call(`get${tested.one}`, at(place, made))).headers.get('etag') ?? ''
    const headers = { 'if-match': tag }
    const answers = await Promise.all(
      ['one', 'two', 'three', 'four'].map((value) =>
        api.call(operation, { ...at(place, made), body: patches.change(value), headers }),
      ),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412])
    const winner = answers.find(({ status }) => status === 200)
    const read = await api.call(`get${tested.one}`, at(place, made))
    expect(read.body).toEqual(winner?.body)
  })

  const { cleared } = patches
  if (cleared !== undefined)
    test('200 takes away what is null', async () => {
      const place = await newPlace(api, tested)
      const made = await make(api, tested, place)
      const answer = await api.call(operation, { ...at(place, made), body: cleared.patch })
      expect(answer.status).toBe(200)
      expect(answer.body).toMatchObject(cleared.shown)
    })

  const { unique } = patches
  if (unique !== undefined)
    test('409 says where the object is that stands in the way', async () => {
      const place = await newPlace(api, tested)
      const [first, second] = [await make(api, tested, place), await make(api, tested, place)]
      const body = { [unique]: first[unique] }
      const answer = await api.call(operation, { ...at(place, second), body })
      expect(answer.status).toBe(409)
      expect(answer.headers.get('location')).toBe(first.metadata['self'])
      const read = await api.call(`get${tested.one}`, at(place, second))
      expect(read.body).toEqual(second)
    })

  test.each(patches.refused)('422 refuses %j and changes nothing', async (body, ...pointers) => {
    const place = await newPlace(api, tested)
    const made = await make(api, tested, place)
    const before = await api.call(`get${tested.one}`, at(place, made))
    const answer = await api.call(operation, { ...at(place, made), body })
    expect(answer.status).toBe(422)
    const fields = pointers.map((pointer): unknown => expect.objectContaining({ pointer }))
    expect(answer.body.error.fields).toEqual(fields)
    const after = await api.call(`get${tested.one}`, at(place, made))
    expect(after.body).toEqual(before.body)
  })

  test('404 for another organization’s object, which stays as it is, and for none', async () => {
    const place = await newPlace(api, tested)
    const there = await newPlace(api, tested, api.stranger)
    const theirs = await make(api, tested, there)
    const before = await api.call(`get${tested.one}`, at(there, theirs))
    const body = patches.change('stolen')
    const { authorization } = place.whose
    const targets = [
      at(place, { id: 'none-1' }),
      at(place, theirs),
      { ...at(there, theirs), authorization },
    ]
    for (const target of targets)
      expect((await api.call(operation, { ...target, body })).status).toBe(404)
    const after = await api.call(`get${tested.one}`, at(there, theirs))
    expect(after.body).toEqual(before.body)
  })
}
