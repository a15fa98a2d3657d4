import type { ApiParts } from '../resource-api/serve-collection.ts'

/** A quota as it is for one caller. */
export type AppliedQuota = {
  /** Its name in the configuration. */
  readonly id: string
  readonly scope: 'user' | 'organization'
  readonly displayName: string
  readonly defaultLimit: number
  /** What an override makes of it, where there is one. */
  readonly appliedLimit: number
  /** Undefined while it cannot be told. */
  readonly usage: number | undefined
  /** What it renews with; undefined of one that counts resources. */
  readonly period: 'hour' | 'day' | 'month' | undefined
}

/**
 * Every quota that refuses, in the order of their ids.
 *
 * @throws {GatewayError} rejected with DIRECTORY_UNAVAILABLE
 */
export type ReadAppliedQuotas = (
  organizationId: string,
  principalId: string,
) => Promise<readonly AppliedQuota[]>

/** What the collections of the group are made of. */
export type QuotaParts = ApiParts & {
  /** Authority of the names of objects. */
  readonly crnAuthority: string
  readonly readAppliedQuotas: ReadAppliedQuotas
}
