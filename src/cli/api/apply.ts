import type { ApiClient, Json } from './client.ts'
import { create, listAll, objectPath, update } from './collection.ts'
import { CliError, exitCodes } from './exit.ts'
import { differences, memberAt, shown, type Difference } from './members.ts'
import type { Resource } from './resource.ts'
import { resources } from './resources.ts'

/** What is to be done so that one object is as it is wanted. */
export type Step = {
  readonly resource: Resource
  readonly parentId: string | undefined
  /** For people: its kind and what it is known by. */
  readonly name: string
  readonly wanted: Json
  readonly existing: Json | undefined
  readonly differences: readonly Difference[]
}

/**
 * Compare objects with what there is. Each is found by its id where it has one, else by what people
 * know it by; members that it does not name stay as they are.
 *
 * @param objects each with `kind`, and `parent` (an id) where its kind stands within another
 * @throws {CliError} where a kind is unknown or an object cannot be told from others
 */
export async function plan(api: ApiClient, objects: readonly Json[]): Promise<readonly Step[]> {
  const listed = new Map<string, Promise<readonly Json[]>>()
  const steps: Step[] = []
  for (const { kind, parent, ...wanted } of objects) {
    const resource = resourceOf(kind)
    const parentId = parentIdOf(resource, parent)
    const filter = filterOf(resource, wanted)
    const collection = JSON.stringify([resource.command, parentId, filter])
    const all = listed.get(collection) ?? listAll(api, resource, parentId, { filter })
    listed.set(collection, all)
    const existing = found(resource, wanted, await all)
    steps.push({
      resource,
      parentId,
      name: `${resource.kind} ${nameOf(resource, wanted)}`,
      wanted,
      existing,
      differences: existing === undefined ? [] : differences(wanted, existing),
    })
  }
  return steps
}

/** A plan, for people to read before it is carried out. */
export function described(steps: readonly Step[]): string {
  return steps.map(describedStep).join('')
}

/** Whether there is nothing to do. */
export function isDone({ existing, differences: open }: Step): boolean {
  return existing !== undefined && open.length === 0
}

/**
 * Carry out one step.
 *
 * @returns what was made or changed, with what is shown once
 */
export function carryOut(api: ApiClient, step: Step): Promise<Json> {
  const { resource, parentId, wanted, existing } = step
  if (existing === undefined) return create(api, resource, parentId, wanted)
  return update(api, objectPath(resource, parentId, shown(existing['id'])), wanted, undefined)
}

function describedStep(step: Step): string {
  if (isDone(step)) return `= ${step.name}\n`
  if (step.existing === undefined) {
    const made = differences(step.wanted, {}).map(({ path, to }) => `    ${path}: ${shown(to)}\n`)
    return `+ ${step.name}\n${made.join('')}`
  }
  const changes = step.differences.map(
    ({ path, from, to }) => `    ${path}: ${shown(from) || '(none)'} → ${shown(to) || '(none)'}\n`,
  )
  return `~ ${step.name}\n${changes.join('')}`
}

function resourceOf(kind: unknown): Resource {
  const resource = resources.find((each) => each.kind === kind)
  if (resource !== undefined) return resource
  const kinds = resources.map((each) => each.kind).join(', ')
  throw new CliError(exitCodes.usage, `"${shown(kind)}" is no kind; there are: ${kinds}`)
}

/** Where an object is to be looked for, if not where the caller's own are. */
function filterOf({ filters = [] }: Resource, wanted: Json): Record<string, string> {
  const named = filters.flatMap(({ parameter, member }) => {
    const value = member === undefined ? undefined : memberAt(wanted, member)
    return typeof value === 'string' ? [[parameter, value] as const] : []
  })
  return Object.fromEntries(named)
}

function parentIdOf({ kind, parent }: Resource, given: unknown): string | undefined {
  if (parent === undefined) return undefined
  if (typeof given === 'string') return given
  throw new CliError(exitCodes.usage, `${kind} needs "parent": ${parent.description}`)
}

function found(resource: Resource, wanted: Json, all: readonly Json[]): Json | undefined {
  const id = wanted['id']
  if (typeof id === 'string') {
    const one = all.find((object) => object['id'] === id)
    if (one !== undefined) return one
    throw new CliError(exitCodes.notFound, `There is no ${resource.kind} with the id ${id}`)
  }
  const missing = resource.naturalKey.find((path) => memberAt(wanted, path) === undefined)
  if (missing !== undefined) {
    throw new CliError(
      exitCodes.usage,
      `A ${resource.kind} without an id needs ${missing}, to be told from others`,
    )
  }
  const same = all.filter((object) => nameOf(resource, object) === nameOf(resource, wanted))
  if (same.length < 2) return same[0]
  throw new CliError(
    exitCodes.refused,
    `There are ${same.length} of ${resource.kind} ${nameOf(resource, wanted)}: name one by its id`,
  )
}

function nameOf({ naturalKey, alsoToldBy = [] }: Resource, object: Json): string {
  const members = [...naturalKey, ...alsoToldBy].map((path) => shown(memberAt(object, path)))
  return members.join(' ').trimEnd()
}
