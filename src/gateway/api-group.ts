import type { GroupSource } from '../catalog/catalog.ts'
import type { ErrorProfile } from '../errors/profile.ts'
import type { CountedOf, LimitClass, LimitClassOf } from '../limits/admission.ts'
import type { PublicLink } from './public-links.ts'
import type { ServiceUpstream } from './service.ts'
import type { Upstream } from './upstream.ts'

/** An API group as the chain sees it: what the catalog compiles, and what the gateway does with it. */
export type ApiGroup = GroupSource & {
  /** Who decides what a known caller may do. */
  readonly authorization: 'roles' | 'upstream'
  /** Whether what a caller has no role on looks as if it did not exist. */
  readonly hideExistence: boolean
  readonly errorProfile: ErrorProfile
  /** Phrases, in lower case, by which a 400 of the service means an exceeded quota. */
  readonly quotaErrors: readonly string[]
  readonly limitClass: LimitClass
  /** The class with what applies to one operation alone. */
  readonly limitClassOf: LimitClassOf
  /** Absent: no operation counts resources. */
  readonly countedOf?: CountedOf | undefined
  readonly maxBodyBytes: number
  /** The least that a caller must send of a body, over each `requests.idleTimeoutMs`. */
  readonly minBodyBytesPerSecond: number
  /** Undefined for services of our own. */
  readonly publicLink: PublicLink | undefined
  /** Longest JSON body that is read whole to be validated. */
  readonly maxValidatedBodyBytes: number
  /** Names, in lower case, of the protocols that connections may be upgraded to. */
  readonly upgrades: readonly string[]
  /** How long nothing may pass on an upgraded connection. */
  readonly upgradeIdleTimeoutMs: number
  readonly upstream: Upstream | ServiceUpstream
}
