import type { Configuration } from './config/schema.ts'
import type { Directory } from './directory/directory.ts'
import { quotasAlone } from './limit-classes.ts'
import type { AdmissionControl } from './limits/admission.ts'
import type { AppliedQuota, ReadAppliedQuotas } from './quota/parts.ts'

type LimitsConfiguration = Configuration['limits']

type Parts = {
  /** Those in force. */
  readonly limits: () => LimitsConfiguration
  readonly admission: Pick<AdmissionControl, 'findLimits' | 'readUse'>
  readonly directory: Pick<Directory, 'limitOverrideFinder' | 'resourceCounts'>
}

/** Read quotas where their counts are kept: those of requests by admission, resources in the directory. */
export function createReadAppliedQuotas(parts: Parts): ReadAppliedQuotas {
  return async (organizationId, principalId) => {
    const limits = parts.limits()
    const [requests, resources] = await Promise.all([
      quotasOfRequests(parts, limits, organizationId, principalId),
      quotasOfResources(parts, limits, organizationId, principalId),
    ])
    return [...requests, ...resources].toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }
}

async function quotasOfRequests(
  { admission }: Parts,
  limits: LimitsConfiguration,
  organizationId: string,
  principalId: string,
): Promise<readonly AppliedQuota[]> {
  const limitClass = quotasAlone(limits)
  const { windows } = admission.findLimits({ organizationId, principalId, limitClass })
  const used = await admission.readUse(windows)
  return windows.flatMap(({ name: id, requests: appliedLimit }, place) => {
    const quota = limits.quotas[id]
    if (quota === undefined) return []
    const { scope, period, limit: defaultLimit, displayName = id } = quota
    return { id, scope, displayName, defaultLimit, appliedLimit, usage: used?.[place], period }
  })
}

async function quotasOfResources(
  { directory }: Parts,
  { countedResources }: LimitsConfiguration,
  organizationId: string,
  principalId: string,
): Promise<readonly AppliedQuota[]> {
  const quotas = Object.entries(countedResources).filter(([, { mode }]) => mode === 'enforce')
  if (quotas.length === 0) return []
  const counts = await directory.resourceCounts.read(organizationId, principalId)
  const findOverride = directory.limitOverrideFinder()
  return quotas.map(([id, { scope, limit: defaultLimit, displayName = id }]) => {
    const owner = scope === 'user' ? principalId : undefined
    const appliedLimit = findOverride(organizationId, owner, id) ?? defaultLimit
    const usage = counts[scope].get(id) ?? 0
    return { id, scope, displayName, defaultLimit, appliedLimit, usage, period: undefined }
  })
}
