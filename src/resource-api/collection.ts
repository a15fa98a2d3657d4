import type { z } from 'zod'
import type { Crn } from '../crn/crn.ts'
import type { Part } from './paging.ts'
import type { Scope } from './scope.ts'

/** What every object has, whatever it is. Instants are milliseconds since the epoch. */
export type Recorded = {
  readonly id: string
  /** Undefined where it is not known. */
  readonly createdAtMs?: number | undefined
  readonly updatedAtMs?: number
  /** Grows with every change; absent where an object never changes. */
  readonly version?: number
}

/** Objects of one kind, and what can be done with them. What is absent is not served. */
export type Collection<Listed extends Recorded, Filter> = {
  /** For example `iam/v2`. */
  readonly apiVersion: string
  readonly kind: string
  /** As Hono has it: `/iam/v2/identity-providers/:provider_id/identity-pools`. */
  readonly path: string
  readonly crn: (record: Listed, scope: Scope) => Crn
  /** The members of an object beside those that all have. */
  readonly members: (record: Listed) => object
  /** Whether an object is the caller's, so that it exists for the caller. */
  readonly isOf: (scope: Scope, record: Listed) => boolean
  /** Rejects with RESOURCE_NOT_FOUND where what the collection is within is not the caller's. */
  readonly enter?: (scope: Scope) => Promise<void>
  /** The parameters of the query by which a list is filtered. */
  readonly filter: FilterSchema<Filter>
  readonly list: (scope: Scope, part: Part, filter: Filter) => Promise<readonly Listed[]>
  readonly count: (scope: Scope, filter: Filter) => Promise<number>
  readonly find: (id: string, scope: Scope) => Promise<Listed | undefined>
  readonly create?: Creation<Listed>
  readonly update?: Update<Listed>
  readonly remove?: (id: string, scope: Scope, check: Check<Listed>) => Promise<void>
}

/** Each parameter is a member; a list's links repeat those that are known. */
export type FilterSchema<Filter> = z.ZodType<Filter> & { readonly shape: object }

/** How an object is made. */
export type Creation<Listed> = {
  /** 202 where clients expect that what is made takes a while to work. */
  readonly status: 201 | 202
  /**
   * @returns what was made, and members of the answer that are shown this once
   * @throws {GatewayError} VALIDATION_FAILED
   */
  readonly make: (
    body: object,
    scope: Scope,
  ) => Promise<{ readonly record: Listed; readonly once?: object }>
  /** The id of what stands in the way of a body, where one of its members must be unique. */
  readonly twin?: (body: object, scope: Scope) => Promise<string | undefined>
}

/** How an object is changed. */
export type Update<Listed> = {
  /** JSON Pointers to members that stay as they are. */
  readonly immutable: readonly string[]
  /**
   * Change an object, to what `patched` makes of it while nobody else changes it.
   *
   * @throws {GatewayError} VALIDATION_FAILED
   */
  readonly make: (id: string, patched: (before: Listed) => object, scope: Scope) => Promise<Listed>
  readonly twin?: (patch: object, scope: Scope) => Promise<string | undefined>
}

/** Looks at an object while nobody else changes it; throws to have it kept. */
export type Check<Listed> = (before: Listed) => void
