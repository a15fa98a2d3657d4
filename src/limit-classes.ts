import type { Configuration } from './config/schema.ts'
import { createLimitClassOf, type LimitClass, type LimitClassOf } from './limits/admission.ts'
import type { Quota } from './limits/limit-class.ts'

/** The limit class of a group, and that of each of its operations. */
export type GroupLimits = { readonly limitClass: LimitClass; readonly limitClassOf: LimitClassOf }

type LimitsConfiguration = Configuration['limits']
type ClassConfiguration = LimitsConfiguration['classes'][string]
type ScopeConfiguration = ClassConfiguration['user']
type RuleConfiguration = ClassConfiguration['operations'][number]

/** @returns by the names of the classes; each is one object, so that groups share what it counts */
export function limitClasses(limits: LimitsConfiguration): ReadonlyMap<string, GroupLimits> {
  return new Map(
    Object.entries(limits.classes).map(([name, configured]) => {
      const limitClass = classOf(name, configured, limits)
      const limitClassOf = createLimitClassOf(limitClass, configured.operations.map(ruleOf))
      return [name, { limitClass, limitClassOf }]
    }),
  )
}

function classOf(
  name: string,
  configured: ClassConfiguration,
  { quotas }: LimitsConfiguration,
): LimitClass {
  return {
    name,
    user: scopeLimits(configured.user),
    organization: scopeLimits(configured.organization),
    ...(configured.address === undefined ? {} : { address: configured.address }),
    quotas: configured.quotas.map((quotaName) => {
      const quota = quotas[quotaName]
      if (quota === undefined) throw new Error('The configuration let an unknown quota through')
      return quotaOf(quotaName, quota)
    }),
  }
}

/** A class of every quota and nothing else, by which their counts are found. */
export function quotasAlone({ quotas }: LimitsConfiguration): LimitClass {
  const nothing = { whenUnavailable: 'local' } as const
  const all = Object.entries(quotas).map(([name, quota]) => quotaOf(name, quota))
  return { name: 'quotas', user: nothing, organization: nothing, quotas: all }
}

function quotaOf(name: string, { mode, ...rest }: LimitsConfiguration['quotas'][string]): Quota {
  return { ...rest, name, isShadow: mode === 'shadow' }
}

function ruleOf({ user, organization, ...rest }: RuleConfiguration) {
  return { ...rest, user: scopeLimits(user), organization: scopeLimits(organization) }
}

function scopeLimits(configured: ScopeConfiguration): LimitClass['user'] {
  const { requests, windowSeconds, window, concurrent, tokenLease, mode, ...rest } = configured
  const share = tokenLease === undefined ? {} : { tokenShare: tokenLease.share }
  return {
    whenUnavailable: rest.whenUnavailable,
    warnAtPercent: rest.warnAtPercent,
    isShadow: mode === 'shadow',
    ...(requests === undefined || windowSeconds === undefined
      ? {}
      : {
          window: {
            requests,
            windowMs: windowSeconds * 1_000,
            isSliding: window === 'sliding',
            ...share,
          },
        }),
    ...(concurrent === undefined ? {} : { concurrent }),
  }
}
