import type { Findings } from './findings.ts'
import { parseHostPattern } from './host-pattern.ts'
import type { Operation } from './operation.ts'
import { parameterNames } from './path-template.ts'
import type { ResourceRule } from './resource.ts'

type Ruled = { readonly hosts: readonly string[]; readonly resource?: ResourceRule | undefined }

/**
 * Report a rule that names a parameter which no path or host of the group has: it would shut out
 * every key of a resource. Operations without the parameter are none of its business. Without a
 * rule every such key is shut out too.
 */
export function reportResourceRule(
  { resource, hosts }: Ruled,
  operations: readonly Operation<unknown>[],
  findings: Findings,
): void {
  if (resource === undefined) {
    if (operations.some(acceptsResourceKeys)) findings.warning(noRule)
    return
  }
  const inPaths = operations.map(({ template }) => parameterNames(template))
  const inHosts = hosts.flatMap((host) => {
    const pattern = parseHostPattern(host)
    return pattern === undefined ? [] : [parameterNames(pattern)]
  })
  for (const source of [resource.id, resource.environment]) {
    if (source === undefined) continue
    if ('path' in source) reportName('path', source.path, inPaths, findings)
    if ('host' in source) reportName('host', source.host, inHosts, findings)
  }
}

const noRule =
  'its operations accept resource API keys, but "resource" does not say which resource they act on, so none of these keys opens them'

function acceptsResourceKeys({ security }: Operation<unknown>): boolean {
  return security.flat().some(({ kind }) => kind === 'resource-api-key')
}

function reportName(
  place: 'path' | 'host',
  name: string,
  lists: readonly (readonly string[])[],
  findings: Findings,
): void {
  const occurrences = lists.map((names) => names.filter((other) => other === name).length)
  if (occurrences.every((count) => count === 0)) {
    findings.problem(`its resource rule names {${name}}, which no ${place} of the group has`)
  }
  if (occurrences.some((count) => count > 1)) {
    findings.problem(`its resource rule names {${name}}, which stands in one ${place} twice`)
  }
}
