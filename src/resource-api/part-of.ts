import type { Part } from './paging.ts'

/**
 * What a page asks for of objects that are all at hand.
 *
 * @param all in the order of their ids
 */
export function partOf<Listed extends { readonly id: string }>(
  all: readonly Listed[],
  { after, before, atEnd, limit }: Part,
): readonly Listed[] {
  if (before !== undefined) return all.filter(({ id }) => id < before).slice(-limit)
  if (atEnd === true) return all.slice(-limit)
  return all.filter(({ id }) => after === undefined || id > after).slice(0, limit)
}
