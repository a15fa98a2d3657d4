import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Caller } from './caller.ts'
import { closedLoop } from './load.ts'
import { noise } from './noise.ts'

/** Pass a body and tell the SHA-256 of what arrived at the far end, in hex. */
export type Kind = (caller: Caller, authorization: string, size: number) => Promise<string>

export const upload = uploadTo('/wide/upload')

/** @param path where an upload is answered with its SHA-256 */
export function uploadTo(path: string): Kind {
  return async (caller, authorization, size) => {
    const body = Readable.from(noise(size), { objectMode: false })
    const response = await caller.open(0, { path, authorization, method: 'POST', body })
    return response.body.text()
  }
}

export const download: Kind = async (caller, authorization, size) => {
  const response = await caller.open(0, { path: `/wide/download/${size}`, authorization })
  return digestOf(response.body)
}

export function echo(path: string): Kind {
  return async (caller, authorization, size) => {
    const body = Readable.from(noise(size), { objectMode: false })
    const response = await caller.open(0, { path, authorization, method: 'POST', body })
    return digestOf(response.body)
  }
}

export async function digestOf(body: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of body) hash.update(piece as Buffer)
  return hash.digest('hex')
}

const warmUpBodies = 2_000
const warmUpBytes = 200_000

/**
 * Make a gateway one that is used: what is compiled and allocated once is no cost of a large body, and any
 * load has V8 grow its young generation. So as many small bodies at a time as there will be large ones.
 */
export async function warmUp(
  caller: Caller,
  authorization: string,
  kinds: readonly Kind[],
  atOnce: number,
): Promise<void> {
  await closedLoop(warmUpBodies, atOnce, async (index) => {
    await kinds[index % kinds.length]?.(caller, authorization, warmUpBytes)
  })
}
