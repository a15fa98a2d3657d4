import { catalogue, type CatalogueEntry, type ErrorCode } from './catalogue.ts'
import type { GatewayError } from './gateway-error.ts'

/** The shapes an error body can have; an API group chooses one. */
export const errorProfiles = [
  'standard',
  'connect',
  'kafka-rest',
  'schema-registry',
  'json-api',
  'oauth',
] as const
export type ErrorProfile = (typeof errorProfiles)[number]

/** One error answer, before it has a shape. */
export type ErrorAnswer = {
  readonly error: GatewayError
  readonly requestId: string
  /** The path that the error is about, without the query string. */
  readonly path: string
  /** RFC 3339. */
  readonly timestamp: string
  /** Address of the page about the code. */
  readonly docUrl: string
}

/** Render an error as the JSON text of a profile. Profiles change the shape and nothing else. */
export function renderError(profile: ErrorProfile, answer: ErrorAnswer): string {
  return texts[profile](answer)
}

/** What does not change from answer to answer is made into text once: refusals come in floods. */
function standardText({ error, requestId, path, timestamp, docUrl }: ErrorAnswer): string {
  const { opening, suggestion } = standardParts(error.code)
  const details = error.details === undefined ? '' : `,"details":${JSON.stringify(error.details)}`
  const fields = error.fields === undefined ? '' : `,"fields":${JSON.stringify(error.fields)}`
  const end = `},"requestId":${JSON.stringify(requestId)},"doc_url":${JSON.stringify(docUrl)}}`
  return `{"status":"${error.status}",${opening}${details},"timestamp":"${timestamp}","path":${JSON.stringify(path)},${suggestion}${fields}${end}`
}

type StandardParts = { readonly opening: string; readonly suggestion: string }

const partsByCode = new Map<ErrorCode, StandardParts>()

function standardParts(code: ErrorCode): StandardParts {
  const known = partsByCode.get(code)
  if (known !== undefined) return known
  const { message, suggestion }: CatalogueEntry = catalogue[code]
  const parts = {
    opening: `"error":{"code":"${code}","message":${JSON.stringify(message)}`,
    suggestion: `"suggestion":${JSON.stringify(suggestion)}`,
  }
  partsByCode.set(code, parts)
  return parts
}

const texts: Readonly<Record<ErrorProfile, (answer: ErrorAnswer) => string>> = {
  standard: standardText,
  connect: inJson(({ error, requestId }) => ({
    error: { code: error.status, message: sentence(error) },
    requestId,
  })),
  'kafka-rest': inJson(({ error, requestId }) => ({
    error_code: kafkaRestCodes[error.status] ?? error.status,
    message: sentence(error),
    requestId,
  })),
  'schema-registry': inJson(({ error, requestId }) => ({
    error_code: error.status,
    message: sentence(error),
    requestId,
  })),
  'json-api': inJson(({ error, requestId }) => ({ errors: jsonApiErrors(error, requestId) })),
  oauth: inJson(({ error, requestId, docUrl }) => ({
    error: oauthCode(error.status),
    error_description: oauthText(sentence(error)),
    error_uri: docUrl,
    requestId,
  })),
}

function inJson(shape: (answer: ErrorAnswer) => object): (answer: ErrorAnswer) => string {
  return (answer) => JSON.stringify(shape(answer))
}

/** Clients of the single-message shapes show nothing else, so the details go into the message. */
function sentence(error: GatewayError): string {
  return error.details === undefined ? error.message : `${error.message}. ${error.details}`
}

/** Kafka REST refines two statuses by a five-digit code; its clients look for these. */
const kafkaRestCodes: Readonly<Record<number, number>> = { 401: 40101, 403: 40301 }

function jsonApiErrors(error: GatewayError, requestId: string): readonly unknown[] {
  const common = {
    id: requestId,
    status: String(error.status),
    code: error.code.toLowerCase(),
    title: error.message,
  }
  if (error.fields === undefined)
    return [{ ...common, detail: error.details ?? error.message, source: {} }]
  return error.fields.map(({ message, ...source }) => ({ ...common, detail: message, source }))
}

/** @see RFC 6749 §5.2; `temporarily_unavailable` and `server_error` are of §4.1.2.1 */
function oauthCode(status: number): string {
  if (status === 401) return 'invalid_client'
  if (status === 403) return 'unauthorized_client'
  if (status === 429 || status === 503) return 'temporarily_unavailable'
  return status >= 500 ? 'server_error' : 'invalid_request'
}

/** RFC 6749 §5.2 allows %x20-21 / %x23-5B / %x5D-7E in an `error_description`. */
function oauthText(text: string): string {
  return text.replaceAll(/[^\x20-\x21\x23-\x5B\x5D-\x7E]/g, "'")
}
