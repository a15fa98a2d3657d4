/** How large a parsed document is once every YAML alias is replaced by what it stands for. */
type Expansion = { readonly nodes: number; readonly depth: number }

const maxNodes = 4_000_000
const maxDepth = 500

/**
 * Refuse a parsed document that a walk over all its nodes could not finish in bounded time.
 *
 * Parsers share the nodes of an alias, so a few lines can stand for billions of nodes ("billion
 * laughs") or for a loop. Shared nodes are measured once here.
 *
 * @throws {Error} with a sentence for the operator
 */
export function refuseExcessiveExpansion(parsed: unknown): void {
  expansionOf(parsed, new Map(), 0)
}

function expansionOf(
  node: unknown,
  measured: Map<object, Expansion | 'in progress'>,
  above: number,
): Expansion {
  if (typeof node !== 'object' || node === null) return { nodes: 1, depth: 1 }
  const known = measured.get(node)
  if (known === 'in progress') throw new Error('a YAML alias stands for a node around itself')
  if (known !== undefined) return known
  refuseBeyondLimits({ nodes: 1, depth: above })
  measured.set(node, 'in progress')
  let nodes = 1
  let depth = 1
  for (const child of Object.values(node)) {
    const expansion = expansionOf(child, measured, above + 1)
    nodes += expansion.nodes
    depth = Math.max(depth, expansion.depth + 1)
    refuseBeyondLimits({ nodes, depth })
  }
  measured.set(node, { nodes, depth })
  return { nodes, depth }
}

function refuseBeyondLimits({ nodes, depth }: Expansion): void {
  if (nodes > maxNodes) throw new Error(`it has more than ${maxNodes} nodes once aliases expand`)
  if (depth > maxDepth) throw new Error(`it nests more than ${maxDepth} levels deep`)
}
