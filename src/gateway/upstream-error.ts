import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib'
import { GatewayError } from '../errors/gateway-error.ts'
import type { ErrorProfile } from '../errors/profile.ts'
import { codeOfStatus } from '../errors/status-code.ts'
import { hasShape, isQuotaExceeded, withRequestId } from '../errors/upstream-body.ts'
import type { Answer } from './answer.ts'
import type { ApiGroup } from './api-group.ts'
import type { Forwarded } from './forwarded.ts'
import { fieldOf } from './raw-fields.ts'
import { aboutBytes, fieldsWithout, responseFields, type OwnFields } from './response-fields.ts'

/** What a group says of its service's errors. */
export type ErrorRules = Pick<ApiGroup, 'errorProfile' | 'quotaErrors'>

type UpstreamError = Extract<Forwarded, { kind: 'upstream-error' }>

const maxDecodedBytes = 262_144

/**
 * Decide what the client gets for an upstream's error.
 *
 * An error in the shape of the group passes with the request id added. Anything else is answered by
 * its status alone, since its text may name hosts, stacks or libraries.
 *
 * @throws {GatewayError} the code of the status; QUOTA_EXCEEDED for a 400 that means it
 */
export async function upstreamErrorAnswer(
  upstreamError: UpstreamError,
  { errorProfile: profile, quotaErrors }: ErrorRules,
  own: OwnFields,
): Promise<Answer> {
  const { status, rawFields } = upstreamError
  const text = await decodedText(upstreamError)
  if (status === 400 && isQuotaExceeded(text, quotaErrors))
    throw normalised('QUOTA_EXCEEDED', undefined, rawFields, own)
  const parsed = parseJson(text)
  if (!hasShape(profile, parsed)) throw normalised(codeOfStatus(status), status, rawFields, own)
  const passing = responseFields(rawFields, passingOwn(own, profile, status))
  const fields = fieldsWithout(passing, aboutOriginal)
  return { status, fields, body: withRequestId(profile, text, parsed, own.requestId) }
}

function normalised(
  code: ReturnType<typeof codeOfStatus>,
  status: number | undefined,
  rawFields: readonly string[],
  own: OwnFields,
): GatewayError {
  return new GatewayError(code, {
    headers: keptFields(rawFields, own),
    ...(status === undefined ? {} : { status }),
  })
}

/** Fields that tell the client what to do next; none of them describes the body that is dropped. */
function keptFields(
  rawFields: readonly string[],
  { publicLink }: OwnFields,
): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of ['Retry-After', 'Allow', 'Location', 'WWW-Authenticate']) {
    const value = fieldOf(rawFields, name.toLowerCase())
    if (value === undefined) continue
    kept[name] = name === 'Location' ? (publicLink?.(value) ?? value) : value
  }
  return kept
}

function passingOwn(own: OwnFields, profile: ErrorProfile, status: number): OwnFields {
  return profile === 'kafka-rest' && status === 429 ? { ...own, limit: undefined } : own
}

/** What is wrong of a body that was decoded and lengthened. */
const aboutOriginal = new Set([...aboutBytes, 'content-encoding', 'etag', 'trailer'])

async function decodedText({ rawFields, body }: UpstreamError): Promise<string> {
  const coding = fieldOf(rawFields, 'content-encoding')?.trim().toLowerCase() ?? 'identity'
  const decode = decoders[coding]
  if (decode === undefined) return coding === 'identity' ? body.toString() : ''
  try {
    const decoded = await decode(body, { maxOutputLength: maxDecodedBytes })
    return decoded.toString()
  } catch {
    // A body that cannot be decoded, or only into something huge, has none of the known shapes.
    return ''
  }
}

type Decode = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>

const decoders: Readonly<Record<string, Decode>> = {
  gzip: promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip),
  'x-gzip': promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip),
  deflate: promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate),
  br: promisify<Buffer, { maxOutputLength: number }, Buffer>(brotliDecompress),
  zstd: promisify<Buffer, { maxOutputLength: number }, Buffer>(zstdDecompress),
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON, so not in any of the shapes.
    return undefined
  }
}
