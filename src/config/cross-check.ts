import { at, listAt, textAt } from './at.ts'
import type { Path, Problem } from './problem.ts'
import { tokenLeaseProblems } from './token-lease-problems.ts'

/**
 * What each part of a configuration must know of the others. It looks at the file's own value, where
 * anything may be missing or of another type, so that both this and the schema's problems are told
 * at once; what the schema refuses is passed over here. No message quotes a value: it may have come
 * from the environment.
 */
export function crossCheck(value: unknown): readonly Problem[] {
  const groups = listAt(value, ['apiGroups'])
  return [
    ...groups.flatMap((group, index) => [
      ...limitClassProblems(group, index, value),
      ...resourceProblems(group, index),
      ...countingProblems(group, index, value),
    ]),
    ...duplicateNames(groups),
    ...quotaProblems(value),
    ...ambiguousQuotas(value),
    ...tokenLeaseProblems(at(value, ['limits'])),
    ...pepperProblems(at(value, ['directory'])),
    ...portProblems(value),
    ...proxyProblems(value),
  ]
}

function limitClassProblems(group: unknown, index: number, value: unknown): readonly Problem[] {
  const classes = at(value, ['limits', 'classes'])
  const limitClass = textAt(group, ['limitClass'])
  if (limitClass === undefined || limitClass === '') return []
  if (typeof classes !== 'object' || classes === null) return []
  if (Object.hasOwn(classes, limitClass)) return []
  const known = Object.keys(classes).join(', ')
  const message = `Must be one of limits.classes: ${known}`
  return [{ path: ['apiGroups', index, 'limitClass'], message }]
}

function quotaProblems(value: unknown): readonly Problem[] {
  const quotas = at(value, ['limits', 'quotas']) ?? {}
  const classes = at(value, ['limits', 'classes'])
  if (typeof quotas !== 'object' || typeof classes !== 'object' || classes === null) return []
  return Object.entries(classes).flatMap(([name, limitClass]) => [
    ...listAt(limitClass, ['quotas']).flatMap((quota, index) => {
      if (typeof quota !== 'string' || Object.hasOwn(quotas, quota)) return []
      const message = `Must be one of limits.quotas: ${Object.keys(quotas).join(', ')}`
      return [{ path: ['limits', 'classes', name, 'quotas', index], message }]
    }),
    ...repeatedRules(limitClass, ['limits', 'classes', name, 'operations']),
  ])
}

/** What a group counts must be configured; a name is that of one limit, for overrides name it. */
function countingProblems(group: unknown, index: number, value: unknown): readonly Problem[] {
  const counted = Object.keys(Object(at(value, ['limits', 'countedResources'])) as object)
  return listAt(group, ['counts']).flatMap((rule, place) => {
    const quota = textAt(rule, ['quota'])
    if (quota === undefined || quota === '' || counted.includes(quota)) return []
    const message = `Must be one of limits.countedResources: ${counted.join(', ')}`
    return [{ path: ['apiGroups', index, 'counts', place, 'quota'], message }]
  })
}

function ambiguousQuotas(value: unknown): readonly Problem[] {
  const quotas = Object(at(value, ['limits', 'quotas'])) as object
  const counted = Object(at(value, ['limits', 'countedResources'])) as object
  return Object.keys(counted).flatMap((name) => {
    if (!Object.hasOwn(quotas, name)) return []
    const path = ['limits', 'countedResources', name]
    return [{ path, message: 'The name is taken by one of limits.quotas' }]
  })
}

/** The counts of two rules of one name would be one. */
function repeatedRules(limitClass: unknown, path: Path): readonly Problem[] {
  const names = listAt(limitClass, ['operations']).map((rule) => textAt(rule, ['name']))
  return names.flatMap((name, index) => {
    if (name === undefined || names.indexOf(name) === index) return []
    return [{ path: [...path, index, 'name'], message: 'The name is taken by an earlier rule' }]
  })
}

function resourceProblems(group: unknown, index: number): readonly Problem[] {
  const hosts = listAt(group, ['hosts']).map(String)
  return ['id', 'environment'].flatMap((part) => {
    const label = textAt(group, ['resource', part, 'host'])
    if (label === undefined || label === '') return []
    const holdsLabel = (host: string): boolean => host.split('.').includes(`{${label}}`)
    if (hosts.length > 0 && hosts.every(holdsLabel)) return []
    const path = ['apiGroups', index, 'resource', part, 'host']
    return [{ path, message: `Every host of the group must hold {${label}}` }]
  })
}

function duplicateNames(groups: readonly unknown[]): readonly Problem[] {
  const names = groups.map((group) => textAt(group, ['name']))
  return names.flatMap((name, index) => {
    if (name === undefined || names.indexOf(name) === index) return []
    const message = 'The name is taken by an earlier group'
    return [{ path: ['apiGroups', index, 'name'], message }]
  })
}

function pepperProblems(directory: unknown): readonly Problem[] {
  const pepper = at(directory, ['pepper'])
  const isGiven = pepper !== undefined && textAt(pepper, ['current', 'secret']) !== ''
  if (!isGiven && (textAt(directory, ['url']) ?? '') !== '') {
    const message = 'pepper is required with a url: every gateway must make the same digests'
    return [{ path: ['directory', pepper === undefined ? 'url' : 'pepper'], message }]
  }
  const ids = [at(pepper, ['current']), ...listAt(pepper, ['previous'])]
    .map((each) => textAt(each, ['id']))
    .filter((id) => id !== undefined)
  if (new Set(ids).size === ids.length) return []
  return [{ path: ['directory', 'pepper'], message: 'Two peppers have the same id' }]
}

/** Nobody could connect, and each would be cut without an answer. */
function proxyProblems(value: unknown): readonly Problem[] {
  const path = ['listen', 'public', 'proxyProtocol']
  if (at(value, path) !== true || listAt(value, ['transport', 'trustedProxies']).length > 0)
    return []
  return [{ path, message: 'Needs transport.trustedProxies: no other peer may connect' }]
}

const everyHost: readonly unknown[] = ['0.0.0.0', '::']

/** Two listeners on one port are told here rather than by a system error at the start. */
function portProblems(value: unknown): readonly Problem[] {
  const listeners = [
    listenerAt(value, ['listen', 'public'], 8080),
    listenerAt(value, ['listen', 'admin'], 8081),
    ...(at(value, ['demo', 'port']) === undefined ? [] : [listenerAt(value, ['demo'], 0)]),
  ]
  return listeners.flatMap((listener, index) => {
    const earlier = listeners.slice(0, index).find((other) => collide(listener, other))
    if (earlier === undefined) return []
    const message = `${earlier.path.join('.')} listens on this port too`
    return [{ path: [...listener.path, 'port'], message }]
  })
}

type Listener = { readonly path: readonly string[]; readonly host: unknown; readonly port: unknown }

function listenerAt(value: unknown, path: readonly string[], defaultPort: number): Listener {
  const host = at(value, [...path, 'host']) ?? '127.0.0.1'
  return { path, host, port: at(value, [...path, 'port']) ?? defaultPort }
}

/** Port 0 is a free one, so never the same. */
function collide(one: Listener, other: Listener): boolean {
  if (one.port !== other.port || one.port === 0) return false
  return one.host === other.host || [one.host, other.host].some((host) => everyHost.includes(host))
}
