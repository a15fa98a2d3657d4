import {
  celFunc,
  CelScalar,
  celType,
  isCelList,
  isCelMap,
  type CelFunc,
  type CelType,
  type CelValue,
} from '@bufbuild/cel'

/** What an evaluation may still cost, in units of about a tenth of a microsecond. */
export type WorkBudget = {
  /** @throws {Error} where the work exceeds what is left; it ends the whole evaluation */
  readonly charge: (units: number) => void
}

/** The function that every loop is made to ask before it begins; no filter can name it. */
export const loopFunction = '@loop'

/** A loop over a list or map, as it is: what it costs is charged, whether or not it ends early. */
export const loop: CelFunc = celFunc(
  loopFunction,
  [CelScalar.DYN, CelScalar.INT],
  CelScalar.DYN,
  (range) => range,
)

/**
 * Make a function charge what it costs, before it runs, by the sizes of its arguments. Functions
 * whose cost depends on no size are charged as nodes of the expression.
 *
 * The exception passes through the evaluator to its end: as an error value, `||` would absorb it.
 */
export function metered(func: CelFunc, budget: WorkBudget): CelFunc {
  const cost = costs[func.name]
  if (cost === undefined) return func
  const call: CelFunc['call'] = (id, target, args) => {
    const operands = target === undefined ? args : [target, ...args]
    const units = cost(operands[0] ?? null, operands[1] ?? null)
    // Looking whether the function takes them costs about as much as a small charge.
    if (units < 4 || takes(func, target, args)) budget.charge(units)
    return func.call(id, target, args)
  }
  return Object.create(func, { call: { value: call } }) as CelFunc
}

/** Making an error value is the slowest of the small things: the library makes an Error of each. */
const errorCost = 60

/**
 * The last of the functions of a name, asked when none before it takes the arguments. It charges for
 * the error that follows, which `||` may absorb once for every turn of a loop.
 */
export function meteredMismatch(name: string, budget: WorkBudget): CelFunc {
  const call: CelFunc['call'] = () => {
    budget.charge(errorCost)
    return undefined
  }
  const func = celFunc(name, [], CelScalar.DYN, () => null)
  return Object.create(func, {
    id: { value: `${name} of anything else` },
    call: { value: call },
  }) as CelFunc
}

type Cost = (first: CelValue, second: CelValue) => number

const costs: Readonly<Record<string, Cost>> = {
  [loopFunction]: (range, weight) => (shallowSize(range) + 1) * Number(weight),
  '_==_': (left, right) => deepSize(left) + deepSize(right),
  '_!=_': (left, right) => deepSize(left) + deepSize(right),
  '@in': (value, container) => deepSize(value) + deepSize(container),
  '_+_': (left, right) => (shallowSize(left) + shallowSize(right)) / 8,
  '_<_': comparison,
  '_<=_': comparison,
  '_>_': comparison,
  '_>=_': comparison,
  size: shallowSize,
  // The worst case of a search is the product of both lengths.
  contains: (text, part) => shallowSize(text) * (1 + shallowSize(part) / 64),
  startsWith: comparison,
  endsWith: comparison,
  matches: (text, pattern) =>
    (patternWeight(typeof pattern === 'string' ? pattern : '') * (shallowSize(text) + 20)) / 2,
  bytes: conversion,
  string: conversion,
  int: conversion,
  uint: conversion,
  double: conversion,
  bool: conversion,
  timestamp: conversion,
  duration: conversion,
  // With a time zone, each makes a formatter of its own.
  getFullYear: timeZone,
  getMonth: timeZone,
  getDayOfYear: timeZone,
  getDayOfMonth: timeZone,
  getDate: timeZone,
  getDayOfWeek: timeZone,
  getHours: timeZone,
  getMinutes: timeZone,
  getSeconds: timeZone,
  getMilliseconds: timeZone,
}

/**
 * How many states a pattern may have, from above: its length times its repetition counts. The
 * engine is linear in text times states.
 */
export function patternWeight(pattern: string): number {
  const counts = [...pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].map(([, least, most]) =>
    Math.max(Number(least), Number(most ?? 0), 1),
  )
  return counts.reduce((product, count) => product * count, pattern.length + 1)
}

function comparison(left: CelValue, right: CelValue): number {
  return (shallowSize(left) + shallowSize(right)) / 32
}

function conversion(value: CelValue): number {
  return shallowSize(value) / 2
}

function timeZone(_time: CelValue, zone: CelValue): number {
  return zone === null ? 10 : 2000
}

/** Characters, bytes, elements or members; 1 for anything else. */
function shallowSize(value: CelValue): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length
  return isCelList(value) || isCelMap(value) ? value.size : 1
}

/** Past this, nothing is affordable, so counting stops. */
const maxDeepSize = 100_000

/** Lists within lists can share elements, and be larger than any memory: counting is bounded. */
function deepSize(value: CelValue): number {
  const pending: CelValue[] = [value]
  let size = 0
  while (size <= maxDeepSize) {
    const next = pending.pop()
    if (next === undefined) return size
    size += shallowSize(next) / (typeof next === 'string' ? 32 : 1) + 1
    if (size > maxDeepSize) return size
    if (isCelList(next)) pending.push(...next)
    if (isCelMap(next)) pending.push(...next.values())
  }
  return size
}

/** Of several functions with one name, only the one that will run is charged. */
function takes(func: CelFunc, target: CelValue | undefined, args: readonly CelValue[]): boolean {
  return (
    (target === undefined) === (func.target === undefined) &&
    args.length === func.arguments.length &&
    (target === undefined || isOfType(target, func.target)) &&
    args.every((arg, position) => isOfType(arg, func.arguments[position]))
  )
}

function isOfType(value: CelValue, type: CelType | undefined): boolean {
  if (type === undefined || type === CelScalar.DYN) return true
  const actual = celType(value)
  return actual.kind === type.kind && actual.name === type.name
}
