import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { Api, ApiObject } from '../../support/api.ts'

/** A collection as the tests of its operations know it. */
export type TestedCollection = {
  /** As in `createIamV2User` and `listIamV2Users`. */
  readonly one: string
  readonly many: string
  /** Of the subjects of audit events. */
  readonly auditedAs: string
  /** A body that makes an object; `unique` is another one each time. */
  readonly body: (unique: string, whose: Whose) => object
  /** Makes what the collection is within, and answers the parameters of its path. */
  readonly within?: (api: Api, whose: Whose) => Promise<Readonly<Record<string, string>>>
}

/** A caller, by whose organization objects are made. */
export type Whose = {
  readonly userId: string
  readonly organizationId: string
  readonly authorization: string
}

/** Where objects of a collection are, and who calls there. */
export type Place = { readonly whose: Whose; readonly path: Readonly<Record<string, string>> }

/** The administrator, who calls unless a test says otherwise. */
export function administrator({ gateway }: Api): Whose {
  const { userId, organizationId, key } = gateway
  return { userId, organizationId, authorization: key.authorization }
}

/** A new place for objects, where the collection is within something. */
export async function newPlace(
  api: Api,
  { within }: TestedCollection,
  whose: Whose = administrator(api),
): Promise<Place> {
  return { whose, path: (await within?.(api, whose)) ?? {} }
}

/** Make an object. */
export async function make(api: Api, tested: TestedCollection, place: Place): Promise<ApiObject> {
  const { authorization } = place.whose
  const body = tested.body(randomUUID(), place.whose)
  const made = await api.call(`create${tested.one}`, { path: place.path, body, authorization })
  expect(made.status, JSON.stringify(made.body)).toBeLessThan(300)
  return made.body
}

/** What addresses an object. */
export function at(
  { whose: { authorization }, path }: Place,
  { id }: { readonly id: string },
): { readonly path: Readonly<Record<string, string>>; readonly authorization: string } {
  return { path: { ...path, id }, authorization }
}

/** What was done to an object, newest first. */
export async function audited(
  api: Api,
  { organizationId }: Whose,
  { id }: { readonly id: string },
): Promise<readonly string[]> {
  const { auditEvents } = api.gateway.directory
  const events = await auditEvents.list(organizationId, { limit: 100 }, { subjectId: id })
  return events.map(({ action }) => action)
}
