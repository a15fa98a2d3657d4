import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { publicOrigin, type Api } from '../../support/api.ts'
import {
  administrator,
  audited,
  make,
  newPlace,
  type Place,
  type TestedCollection,
} from './collection.ts'
import { crnOf } from './crn-of.ts'

/** What is to be said of a new object, whatever it is. */
export type TestedCreation = {
  /** Of the collection, with the parameters of a place. */
  readonly address: (path: Place['path']) => string
  /** Below the organization, without the id. */
  readonly name: (path: Place['path']) => string
  /** What is shown beside what the body says. */
  readonly shown?: object
  /** Bodies that are refused, and the members that are to blame. */
  readonly refused: readonly (readonly [body: object, ...pointers: string[]])[]
}

/** What making an object guarantees. */
export function describeCreate(
  api: Api,
  tested: TestedCollection,
  { address, name, shown = {}, refused }: TestedCreation,
): void {
  const operation = `create${tested.one}`

  test('201 answers the object in the object model, with its address, and the audit has it', async () => {
    const whose = administrator(api)
    const { path } = await newPlace(api, tested)
    const body = tested.body(randomUUID(), whose)
    const made = await api.call(operation, { path, body: { ...body, of_the_future: true } })
    expect(made.status).toBe(201)
    const { id } = made.body
    expect(made.body).toMatchObject({ ...body, ...shown })
    expect(made.body).not.toHaveProperty('of_the_future')
    expect(made.body.metadata).toMatchObject({
      self: `${publicOrigin}${address(path)}/${id}`,
      resource_name: `${crnOf(whose.organizationId)}/${name(path)}=${id}`,
    })
    expect(made.headers.get('location')).toBe(made.body.metadata['self'])
    expect(await audited(api, whose, made.body)).toEqual([`${tested.auditedAs}.created`])
  })

  test.each(refused)('422 refuses %j, and says what is wrong', async (body, ...pointers) => {
    const { path } = await newPlace(api, tested)
    const answer = await api.call(operation, { path, body })
    expect(answer.status).toBe(422)
    const fields = pointers.map((pointer): unknown => expect.objectContaining({ pointer }))
    expect(answer.body.error.fields).toEqual(fields)
  })
}

/** What making the same thing twice guarantees, where one of a kind is enough. */
export function describeTwin(api: Api, tested: TestedCollection): void {
  test('409 says where the other is; another organization may have the same', async () => {
    const place = await newPlace(api, tested)
    const unique = randomUUID()
    const same: TestedCollection = { ...tested, body: (_, whose) => tested.body(unique, whose) }
    const first = await make(api, same, place)
    const body = same.body('', place.whose)
    const second = await api.call(`create${tested.one}`, { path: place.path, body })
    expect(second.status).toBe(409)
    expect(second.body.error.code).toBe('CONFLICT')
    expect(second.headers.get('location')).toBe(first.metadata['self'])
    await make(api, same, await newPlace(api, tested, api.stranger))
  })
}
