import type { PathTemplate } from './path-template.ts'
import { segmentsOverlap, shapeOf, type Segment } from './segment.ts'

/** Things with a path template, to be found by templates that overlap theirs. */
export type TemplateIndex<T> = {
  /** Everything whose template matches some path that this one matches too. */
  overlapping(template: PathTemplate): readonly T[]
}

/** A tree of segments: what follows literal text is found at once, the rest has to be tried. */
type Node<T> = {
  readonly values: T[]
  readonly literal: Map<string, Branch<T>>
  readonly templated: Map<string, Branch<T>>
}
type Branch<T> = { readonly segment: Segment; readonly node: Node<T> }

/** Comparing each with each would take minutes for the tens of thousands of operations of some. */
export function createTemplateIndex<T extends { readonly template: PathTemplate }>(
  values: readonly T[],
): TemplateIndex<T> {
  const root = createNode<T>()
  for (const value of values) {
    let node = root
    for (const segment of value.template.segments) node = branchOf(node, segment).node
    node.values.push(value)
  }
  return {
    overlapping({ segments }) {
      let nodes = [root]
      for (const segment of segments) {
        nodes = nodes.flatMap((node) => branchesAt(node, segment).map((branch) => branch.node))
      }
      return nodes.flatMap((node) => node.values)
    },
  }
}

function createNode<T>(): Node<T> {
  return { values: [], literal: new Map(), templated: new Map() }
}

function branchOf<T>({ literal, templated }: Node<T>, segment: Segment): Branch<T> {
  const branches = segment.names.length === 0 ? literal : templated
  const shape = shapeOf(segment)
  const branch = branches.get(shape) ?? { segment, node: createNode<T>() }
  branches.set(shape, branch)
  return branch
}

function branchesAt<T>({ literal, templated }: Node<T>, segment: Segment): readonly Branch<T>[] {
  const same = segment.names.length === 0 ? literal.get(shapeOf(segment)) : undefined
  const candidates =
    segment.names.length === 0 ? templated.values() : [...literal.values(), ...templated.values()]
  const found = [...candidates].filter((branch) => segmentsOverlap(branch.segment, segment))
  return same === undefined ? found : [same, ...found]
}
