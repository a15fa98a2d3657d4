import { isJsonObject } from '../tokens/strict-json.ts'
import type { FetchDocument, FetchedDocument } from './document-fetch.ts'

/** Whose keys, and where they are; without an address, the issuer's own metadata name it. */
export type KeySource = { readonly issuer: string; readonly jwksUri: string | undefined }

/**
 * Fetch a key set, by way of the issuer's metadata where no address is given. The metadata must name
 * the same issuer, to the letter: otherwise one issuer could speak for another.
 *
 * @see OpenID Connect Discovery 1.0 §4.1, §4.3
 */
export async function fetchKeySet(
  { issuer, jwksUri }: KeySource,
  fetchDocument: FetchDocument,
  signal: AbortSignal,
): Promise<FetchedDocument> {
  return fetchDocument(jwksUri ?? (await discover(issuer, fetchDocument, signal)), signal)
}

async function discover(
  issuer: string,
  fetchDocument: FetchDocument,
  signal: AbortSignal,
): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const { body } = await fetchDocument(url, signal)
  if (!isJsonObject(body) || body['issuer'] !== issuer)
    throw new Error('the metadata are of another issuer')
  if (typeof body['jwks_uri'] !== 'string') throw new Error('the metadata name no key set')
  return body['jwks_uri']
}
