import { request } from 'undici'

/**
 * Read a text over a connection of its own: one that has rested may be closed by its server just when it
 * is used again, and a proof of minutes must not end by that.
 */
export async function readUrl(url: string): Promise<string> {
  const { body } = await request(url, { reset: true })
  return body.text()
}
