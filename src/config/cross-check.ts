import type { Configuration } from './schema.ts'
import type { Problem } from './source.ts'

/** What each part of a configuration must know of the others. */
export function crossCheck(configuration: Configuration): readonly Problem[] {
  return [
    ...configuration.apiGroups.flatMap((group, index) =>
      groupProblems(group, index, configuration),
    ),
    ...duplicateNames(configuration),
    ...pepperProblems(configuration.directory),
  ]
}

type Group = Configuration['apiGroups'][number]

function groupProblems(group: Group, index: number, { limits }: Configuration): readonly Problem[] {
  const problems: Problem[] = []
  if (!Object.hasOwn(limits.classes, group.limitClass)) {
    const known = Object.keys(limits.classes).join(', ')
    problems.push({
      path: ['apiGroups', index, 'limitClass'],
      message: `'${group.limitClass}' is not one of limits.classes (${known})`,
    })
  }
  for (const part of ['id', 'environment'] as const) {
    const source = group.resource?.[part]
    const label = source !== undefined && 'host' in source ? source.host : undefined
    if (label !== undefined && !group.hosts.every((host) => host.includes(`{${label}}`))) {
      problems.push({
        path: ['apiGroups', index, 'resource', part, 'host'],
        message: `Every host of the group must hold {${label}}`,
      })
    }
  }
  return problems
}

function duplicateNames({ apiGroups }: Configuration): readonly Problem[] {
  return apiGroups.flatMap(({ name }, index) => {
    const first = apiGroups.findIndex((group) => group.name === name)
    if (first === index) return []
    return [
      { path: ['apiGroups', index, 'name'], message: `'${name}' is taken by an earlier group` },
    ]
  })
}

function pepperProblems({ url, pepper }: Configuration['directory']): readonly Problem[] {
  if (pepper === undefined) {
    if (url === undefined || url === '') return []
    const message = 'pepper is required with a url: every gateway must make the same digests'
    return [{ path: ['directory', 'url'], message }]
  }
  const ids = [pepper.current, ...pepper.previous].map(({ id }) => id)
  if (new Set(ids).size === ids.length) return []
  return [{ path: ['directory', 'pepper'], message: 'Two peppers have the same id' }]
}
