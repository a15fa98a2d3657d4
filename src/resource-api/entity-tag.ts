import { GatewayError } from '../errors/gateway-error.ts'

/** The tag of an object's version. What its use alone changes in an object is not told by it. */
export function entityTag({ version }: { readonly version: number }): string {
  return `"${version}"`
}

/**
 * What a request with `If-Match` demands of the object that it changes. To be called on what nobody
 * else can change meanwhile.
 *
 * @param ifMatch the raw field value, or undefined where the field is absent
 * @throws {GatewayError} PRECONDITION_FAILED
 * @see RFC 9110 §13.1.1; weak tags match nothing
 */
export function requireMatch(
  ifMatch: string | undefined,
  current: { readonly version: number },
): void {
  if (ifMatch === undefined || ifMatch.trim() === '*') return
  const tags = ifMatch.split(',').map((tag) => tag.trim())
  if (!tags.includes(entityTag(current))) throw new GatewayError('PRECONDITION_FAILED')
}
