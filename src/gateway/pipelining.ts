/** Which operations may have requests sent one behind another on one connection. */
export type Pipelining = {
  /** Whether an answer of the operation is not expected to hold up what stands behind it. */
  readonly allows: (operation: object) => boolean
  /** An answer came: in one piece with its head, or in several. */
  readonly note: (operation: object, cameWhole: boolean) => void
}

/** So many answers in a row must have come whole before an operation counts as one that answers so. */
const proofs = 16

/**
 * Learn which operations answer in one piece. An answer that streams would hold up every request
 * behind it, for as long as it likes; so an operation is pipelined once it has shown, on connections
 * of its own, that it does not, and no longer after the first answer that does.
 */
export function createPipelining(): Pipelining {
  const wholeInARow = new WeakMap<object, number>()
  return {
    allows: (operation) => (wholeInARow.get(operation) ?? 0) >= proofs,
    note: (operation, cameWhole) => {
      const before = wholeInARow.get(operation) ?? 0
      if (!cameWhole) wholeInARow.set(operation, 0)
      else if (before < proofs) wholeInARow.set(operation, before + 1)
    },
  }
}
