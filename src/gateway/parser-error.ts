import type { ErrorCode } from '../errors/catalogue.ts'

/** What Node adds to an error of its parser. */
export type ParserError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer }

/** What to answer to bytes that Node's parser refused, or that did not come in time. */
export function parserErrorCode(error: ParserError): ErrorCode {
  // The parser says the same of an unknown method as of bytes that are no HTTP at all.
  if (error.code === 'HPE_INVALID_METHOD' && !requestLine.test(String(error.rawPacket))) {
    return 'REQUEST_MALFORMED'
  }
  return parserErrors[error.code ?? ''] ?? 'REQUEST_MALFORMED'
}

const requestLine = /^[A-Za-z-]{1,32} \S+ HTTP\/1\.[01]\r\n/

/** Node's parser and timer errors that say more than that the bytes are no HTTP. */
const parserErrors: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'BODY_TOO_LARGE',
  HPE_INVALID_METHOD: 'METHOD_NOT_IMPLEMENTED',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
}
