import type { Catalog } from './catalog/catalog.ts'
import { grantsThatOpen } from './catalog/lifecycle.ts'
import type { Operation } from './catalog/operation.ts'
import type { ApiGroup } from './gateway/api-group.ts'
import { parseHost } from './gateway/host.ts'
import type { Caller } from './gateway/service.ts'
import { canonicalTarget } from './gateway/target.ts'
import type { Explain, ExplainedLimit, Explanation } from './governance/explanations.ts'
import type { AdmissionControl } from './limits/admission.ts'
import type { FindOverride } from './limits/applicable-limits.ts'

type Parts = {
  /** The catalog in force. */
  readonly catalog: () => Catalog<ApiGroup>
  readonly findLimits: AdmissionControl['findLimits']
  readonly overrides: () => FindOverride
  readonly publicOrigin: string
}

/** Explain requests by what the gateway itself decides them by. */
export function createExplain({ catalog, publicOrigin, ...parts }: Parts): Explain {
  const ownHost = new URL(publicOrigin).host
  return (method, url, authentication) => {
    const { authority = ownHost, path } = canonicalTarget(url, method)
    const match = catalog().match(parseHost(authority), method, path)
    if (match.kind === 'method-not-allowed') return { outcome: match.kind, allow: match.allow }
    if (match.kind !== 'found') return { outcome: match.kind }
    const { operation } = match
    const { group, lifecycle, security } = operation
    return {
      outcome: 'found',
      operation: {
        operationId: operation.operationId,
        group: group.name,
        method: operation.method,
        path: operation.path,
        stage: lifecycle.stage,
      },
      openedBy: security,
      needsGrant: grantsThatOpen(lifecycle, group.name),
      limits: limitsOf(authentication, operation, parts),
    } satisfies Explanation
  }
}

function limitsOf(
  authentication: Caller['authentication'],
  operation: Operation<ApiGroup>,
  { findLimits, overrides }: Pick<Parts, 'findLimits' | 'overrides'>,
): readonly ExplainedLimit[] {
  if (authentication.kind === 'anonymous') return []
  const { id, organizationId = id } = authentication.principal
  const limitClass = operation.group.limitClassOf(operation)
  const { windows, slots } = findLimits({ organizationId, principalId: id, limitClass })
  return [
    ...windows.map(({ name, scope, kind, requests, windowMs }) => {
      // A month has no one length.
      const length = kind === 'fixed' || kind === 'sliding' ? { windowMs } : {}
      return { name, scope, kind, limit: requests, ...length }
    }),
    ...slots.map(({ name, scope, concurrent }) => {
      return { name, scope, kind: 'concurrent', limit: concurrent }
    }),
    ...countedLimits(operation, { organizationId, principalId: id }, overrides()),
  ]
}

/** What the operation counts; quotas in shadow mode refuse nothing, and are left out as limits are. */
function countedLimits(
  operation: Operation<ApiGroup>,
  {
    organizationId,
    principalId,
  }: { readonly organizationId: string; readonly principalId: string },
  findOverride: FindOverride,
): readonly ExplainedLimit[] {
  const counted = operation.group.countedOf?.(operation)
  if (counted === undefined) return []
  return (['creates', 'deletes'] as const).flatMap((kind) =>
    counted[kind]
      .filter(({ isShadow }) => !isShadow)
      .map(({ name, scope, limit }) => {
        const owner = scope === 'user' ? principalId : undefined
        return { name, scope, kind, limit: findOverride(organizationId, owner, name) ?? limit }
      }),
  )
}
