import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, sep } from 'node:path'
import type * as redoclyCore from '@redocly/openapi-core'
import type { Document } from '@redocly/openapi-core'
import { refuseExcessiveExpansion } from './expansion.ts'
import { memberOf, textOf } from './json.ts'

type FileOutcome =
  | { readonly kind: 'read'; readonly document: Document }
  /** Nothing that can be read is there. */
  | { readonly kind: 'missing'; readonly reason: string }
  /** It is not to be read, or is not what it should be; the place is where in it, if anywhere. */
  | { readonly kind: 'refused'; readonly reason: string; readonly place: string | undefined }

/** The files that an OpenAPI document may consist of: those in its folder and below. */
export type LocalFiles = {
  /** Read and parse one file, YAML or JSON, by its absolute path; once, however often it is asked for. */
  read(path: string): Promise<FileOutcome>
  /** Every file that was asked for. */
  asked(): readonly string[]
}

type Folder = { readonly path: string; readonly realPath: string }

const maxFileBytes = 33_554_432
const outside = 'it is outside the folder of the document'

export async function createLocalFiles(
  redocly: typeof redoclyCore,
  rootPath: string,
): Promise<LocalFiles> {
  const path = dirname(rootPath)
  // Where the folder does not exist, reading the document says so.
  const folder = { path, realPath: await realpath(path).catch(() => path) }
  const outcomes = new Map<string, Promise<FileOutcome>>()
  const readOnce = async (file: string): Promise<FileOutcome> => {
    // Where the document itself is, the operator says; its references are what is not trusted.
    const outcome = file === rootPath ? undefined : await unreadable(file, folder)
    return outcome ?? (await readFrom(redocly, file))
  }
  return {
    read(file) {
      const outcome = outcomes.get(file) ?? readOnce(file)
      outcomes.set(file, outcome)
      return outcome
    },
    asked: () => [...outcomes.keys()],
  }
}

/** Whether a reference has a scheme, and so leads away from the files beside the document. */
export function isUrl(reference: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(reference)
}

/** Why a file that is referred to is not read, or undefined where it is. */
async function unreadable(file: string, folder: Folder): Promise<FileOutcome | undefined> {
  if (isUrl(file)) return refused('nothing is fetched from a network')
  // By its name first: a file outside that does not exist is refused like one that does.
  if (!isBelow(folder.path, file)) return refused(outside)
  // Descriptions are found in files of their own; whatever they hold, it is no part of this.
  if (!/\.(?:ya?ml|json)$/i.test(file)) return missing('it is neither YAML nor JSON')
  // A symbolic link may still lead out.
  const realPath = await realpath(file).catch(() => undefined)
  if (realPath === undefined) return missing('it does not exist')
  return isBelow(folder.realPath, realPath) ? undefined : refused(outside)
}

function isBelow(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

async function readFrom(redocly: typeof redoclyCore, file: string): Promise<FileOutcome> {
  let text: string
  try {
    const { size } = await stat(file)
    if (size > maxFileBytes) return refused(`it is larger than ${maxFileBytes} bytes`)
    text = await readFile(file, 'utf8')
  } catch (error) {
    return missing(reasonOf(error))
  }
  try {
    const document = redocly.makeDocumentFromString(text, file)
    refuseExcessiveExpansion(document.parsed)
    return { kind: 'read', document }
  } catch (error) {
    return refused(reasonOf(error), file + placeOf(error))
  }
}

function missing(reason: string): FileOutcome {
  return { kind: 'missing', reason }
}

function refused(reason: string, place?: string): FileOutcome {
  return { kind: 'refused', reason, place }
}

/** Line and column, both from 1, where the parser gave up. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error) || !('line' in error) || !('col' in error)) return ''
  return Number.isInteger(error.line) ? `:${String(error.line)}:${String(error.col)}` : ''
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const parserError: unknown = 'originalError' in error ? error.originalError : undefined
  return textOf(memberOf(parserError, 'reason')) ?? error.message
}
