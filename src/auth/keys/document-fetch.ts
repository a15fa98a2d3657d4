import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { Agent, request, type Dispatcher } from 'undici'
import type { AddressPolicy } from './address-policy.ts'

/** A document as its server sent it. */
export type FetchedDocument = {
  readonly body: unknown
  /** `Cache-Control: max-age`, in seconds; undefined where the server names none. */
  readonly maxAgeSeconds: number | undefined
}

/**
 * Fetch one JSON document. Rejects with an Error whose message is one of our own, for the log.
 *
 * @param signal ends the fetch, wherever it is
 */
export type FetchDocument = (url: string, signal: AbortSignal) => Promise<FetchedDocument>

/** All addresses of a name, as `dns.lookup` answers with `all`. */
export type Resolve = (
  host: string,
  answer: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void

type Parts = {
  readonly policy: AddressPolicy
  /** Default: the system's resolver. */
  readonly resolve?: Resolve
}

type DocumentFetcher = {
  readonly fetchDocument: FetchDocument
  /** Closes its connections; fetches under way fail. */
  readonly close: () => Promise<void>
}

const maxBodyBytes = 256 * 1024

/**
 * Make the one way to documents of identity providers. The address is held against the policy where
 * the socket connects, after its name was resolved: a name that resolves to another address later
 * (DNS rebinding) gains nothing. Redirects are not followed, bodies end at 256 KiB, and a compressed
 * body is refused unread.
 */
export function createDocumentFetcher({ policy, resolve }: Parts): DocumentFetcher {
  const agent = new Agent({
    connect: { lookup: policedLookup(policy, resolve ?? resolveBySystem), timeout: 3000 },
    connections: 2,
    pipelining: 1,
    keepAliveTimeout: 1000,
    maxResponseSize: -1,
    headersTimeout: 5000,
    bodyTimeout: 5000,
  })
  return { fetchDocument, close: () => agent.destroy() }

  async function fetchDocument(url: string, signal: AbortSignal): Promise<FetchedDocument> {
    const flaw = policy.flawOf(url)
    if (flaw !== undefined) throw new Error(`the URL is not allowed: ${flaw}`)
    const response = await request(url, {
      dispatcher: agent,
      signal,
      headers: { accept: 'application/json', 'accept-encoding': 'identity' },
    })
    const { statusCode, headers } = response
    if (statusCode !== 200 || headers['content-encoding'] !== undefined) {
      // Destroyed before its end, a body emits an error, which would end the process.
      response.body.once('error', () => undefined).destroy()
      throw new Error(statusCode === 200 ? 'the body is compressed' : `the status is ${statusCode}`)
    }
    const text = await readBounded(response.body)
    return { body: JSON.parse(text), maxAgeSeconds: maxAgeOf(headers['cache-control']) }
  }
}

function resolveBySystem(...[host, answer]: Parameters<Resolve>): void {
  systemLookup(host, { all: true }, answer)
}

/** Node's sockets ask this for the addresses of a name; of an address that is not permitted, it tells nothing. */
function policedLookup(policy: AddressPolicy, resolve: Resolve): LookupFunction {
  return (host, options, answer) => {
    resolve(host, (error, addresses) => {
      // On an error there are none, whatever the types say.
      const [first] = error === null ? addresses : []
      if (error !== null || first === undefined) {
        answer(error ?? new Error('the name has no address'), '', 0)
      } else if (!addresses.every(({ address }) => policy.permits(host, address))) {
        // One bad address spoils all: which of them is connected to is not for the issuer to choose.
        answer(new Error('the name resolves to an address that is not allowed'), '', 0)
      } else if (options.all === true) {
        answer(null, [...addresses])
      } else {
        answer(null, first.address, first.family)
      }
    })
  }
}

async function readBounded(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    // Leaving the loop destroys the body, and with it the connection.
    if (bytes > maxBodyBytes) throw new Error('the body is larger than 256 KiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function maxAgeOf(field: string | string[] | undefined): number | undefined {
  const [, seconds] = /(?:^|[\s,])max-age="?(\d{1,10})/i.exec(String(field ?? '')) ?? []
  return seconds === undefined ? undefined : Number(seconds)
}
