/** Says whether a text holds what a pattern means, in time that is linear in the text. */
export type TestText = (text: string) => boolean

type Test = (codePoint: number) => boolean
type Node =
  | { readonly kind: 'one'; readonly test: Test }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly min: number; readonly max: number }
type State =
  | { readonly kind: 'one'; readonly test: Test; readonly next: number }
  | { readonly kind: 'split'; readonly next: number[] }
  | { readonly kind: 'start' | 'end'; readonly next: number }
  | { readonly kind: 'match' }

/** Work per character is at most this many states. */
const maxStates = 300

/**
 * Compile a pattern of a document (ECMA-262, flag u). The engine of the language tries one way after
 * the other, so that a caller who knows the pattern could hold up the process with one text. Here all
 * ways are followed at once.
 *
 * @returns undefined for what is left out: look-around, back-references, `\b`, `\p`, and patterns of
 *   more than 300 states
 */
export function compileLinear(source: string): TestText | undefined {
  try {
    const states: State[] = [{ kind: 'match' }]
    const first = build(parse(Array.from(source)), 0, states)
    return (text) => isFound(states, first, text)
  } catch (error) {
    if (error instanceof Unsupported) return undefined
    throw error
  }
}

class Unsupported extends Error {}

function isFound(states: readonly State[], first: number, text: string): boolean {
  const marks = new Uint32Array(states.length)
  const points = Array.from(text, (character) => character.codePointAt(0) ?? 0)
  let active: number[] = []
  for (let position = 0; position <= points.length; position += 1) {
    const reached: number[] = []
    // Each position has a mark of its own, so that none has to be wiped out.
    const add = (entry: number): boolean => {
      const pending = [entry]
      for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
        if (marks[at] === position + 1) continue
        marks[at] = position + 1
        const state = states[at]
        if (state?.kind === 'match') return true
        if (state?.kind === 'one') reached.push(at)
        else if (state?.kind === 'split') pending.push(...state.next)
        else if (state?.kind === 'start' && position === 0) pending.push(state.next)
        else if (state?.kind === 'end' && position === points.length) pending.push(state.next)
      }
      return false
    }
    const previous = points[position - 1]
    for (const at of active) {
      const state = states[at]
      if (state?.kind !== 'one' || previous === undefined || !state.test(previous)) continue
      if (add(state.next)) return true
    }
    if (add(first)) return true
    active = reached
  }
  return false
}

/** @returns the state from which a node leads to `next` */
function build(node: Node, next: number, states: State[]): number {
  if (states.length > maxStates) throw new Unsupported()
  switch (node.kind) {
    case 'one':
      return states.push({ kind: 'one', test: node.test, next }) - 1
    case 'start':
    case 'end':
      return states.push({ kind: node.kind, next }) - 1
    case 'sequence':
      return node.parts.reduceRight((after, part) => build(part, after, states), next)
    case 'choice':
      return (
        states.push({ kind: 'split', next: node.parts.map((part) => build(part, next, states)) }) -
        1
      )
    case 'repeat':
      return buildRepeat(node, next, states)
  }
}

function buildRepeat(
  { part, min, max }: Extract<Node, { kind: 'repeat' }>,
  next: number,
  states: State[],
): number {
  let entry = next
  if (max === Number.POSITIVE_INFINITY) {
    const ways: number[] = [next]
    entry = states.push({ kind: 'split', next: ways }) - 1
    ways.push(build(part, entry, states))
  } else {
    for (let count = min; count < max; count += 1)
      entry = states.push({ kind: 'split', next: [next, build(part, entry, states)] }) - 1
  }
  for (let count = 0; count < min; count += 1) entry = build(part, entry, states)
  return entry
}

function parse(characters: readonly string[]): Node {
  let at = 0
  const node = choice()
  if (at < characters.length) throw new Unsupported()
  return node

  function choice(): Node {
    const parts = [sequence()]
    while (characters[at] === '|') {
      at += 1
      parts.push(sequence())
    }
    return parts.length === 1
      ? (parts[0] ?? { kind: 'sequence', parts })
      : { kind: 'choice', parts }
  }

  function sequence(): Node {
    const parts: Node[] = []
    while (at < characters.length && characters[at] !== '|' && characters[at] !== ')') {
      parts.push(repeated(atom()))
    }
    return { kind: 'sequence', parts }
  }

  function repeated(part: Node): Node {
    const [min, max, length] = quantifierAt(characters, at)
    if (length === 0) return part
    at += length
    // Lazy or not: whether there is a match is the same.
    if (characters[at] === '?') at += 1
    if (min > maxStates || (max !== Number.POSITIVE_INFINITY && max > maxStates))
      throw new Unsupported()
    return { kind: 'repeat', part, min, max }
  }

  function atom(): Node {
    const character = characters[at] ?? ''
    at += 1
    switch (character) {
      case '^':
        return { kind: 'start' }
      case '$':
        return { kind: 'end' }
      case '.':
        return { kind: 'one', test: (point) => ![10, 13, 0x2028, 0x2029].includes(point) }
      case '(':
        return group()
      case '[':
        return { kind: 'one', test: characterClass() }
      case '\\':
        return { kind: 'one', test: escape() }
      default:
        return { kind: 'one', test: is(character) }
    }
  }

  function group(): Node {
    const prefix = /^\?(?::|<[A-Za-z_]\w*>)/.exec(characters.slice(at, at + 100).join(''))?.[0]
    if (prefix !== undefined) at += prefix.length
    else if (characters[at] === '?') throw new Unsupported()
    const inner = choice()
    at += 1
    return inner
  }

  function characterClass(): Test {
    const isNegated = characters[at] === '^'
    if (isNegated) at += 1
    const tests: Test[] = []
    while (at < characters.length && characters[at] !== ']') {
      const [test, from] = member()
      if (characters[at] !== '-' || characters[at + 1] === ']' || from === undefined) {
        tests.push(test)
        continue
      }
      at += 1
      const [, to] = member()
      if (to === undefined) throw new Unsupported()
      tests.push((point) => point >= from && point <= to)
    }
    at += 1
    return (point) => tests.some((test) => test(point)) !== isNegated
  }

  function member(): [Test, number | undefined] {
    const character = characters[at] ?? ''
    at += 1
    if (character !== '\\') return [is(character), character.codePointAt(0)]
    const written = characters[at] ?? ''
    if (/[dDsSwW]/.test(written)) return [escape(), undefined]
    if (written === 'b') {
      at += 1
      return [is('\b'), 8]
    }
    const point = escapedPoint()
    return [(other) => other === point, point]
  }

  function escape(): Test {
    const named = classes[characters[at] ?? '']
    if (named !== undefined) {
      at += 1
      return named
    }
    const point = escapedPoint()
    return (other) => other === point
  }

  function escapedPoint(): number {
    const character = characters[at] ?? ''
    at += 1
    const control = controls[character]
    if (control !== undefined) return control
    if (!/[ux]/.test(character)) {
      if (/[A-Za-z0-9]/.test(character)) throw new Unsupported()
      return character.codePointAt(0) ?? 0
    }
    const digits = characters.slice(at, at + (character === 'x' ? 2 : 4)).join('')
    if (!/^[0-9A-Fa-f]+$/.test(digits)) throw new Unsupported()
    at += digits.length
    return Number.parseInt(digits, 16)
  }
}

/** Minimum, maximum and length in characters; the length is 0 where no quantifier stands there. */
function quantifierAt(characters: readonly string[], at: number): [number, number, number] {
  const many = Number.POSITIVE_INFINITY
  switch (characters[at] ?? '') {
    case '*':
      return [0, many, 1]
    case '+':
      return [1, many, 1]
    case '?':
      return [0, 1, 1]
    case '{': {
      const found = /^\{(\d{1,9})(,)?(\d{1,9})?\}/.exec(characters.slice(at, at + 25).join(''))
      if (found === null) throw new Unsupported()
      const [whole, min, comma, max] = found
      const most = comma === undefined ? Number(min) : max === undefined ? many : Number(max)
      return [Number(min), most, whole.length]
    }
    default:
      return [1, 1, 0]
  }
}

function is(character: string): Test {
  const expected = character.codePointAt(0)
  return (point) => point === expected
}

function by(expression: RegExp): Test {
  return (point) => expression.test(String.fromCodePoint(point))
}

const classes: Readonly<Record<string, Test>> = {
  ...{ d: by(/^\d$/u), D: by(/^\D$/u), w: by(/^\w$/u), W: by(/^\W$/u) },
  ...{ s: by(/^\s$/u), S: by(/^\S$/u) },
}

const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, '0': 0 }
