import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Node takes the types out of TypeScript by a program of its own, which stays in memory for as long as
// the process lives: some 20 MB of a gateway at rest. So the process that is about to replace itself does
// it for the one that serves, and keeps what comes of it for later starts.

const sources = fileURLToPath(new URL('../src/', import.meta.url))
const kept = fileURLToPath(new URL('../.cache/plain-sources.json', import.meta.url))

/** Keep the sources as they are now without their types. Where that cannot be, Node does it at each start. */
export function keepPlainSources() {
  const before = readKept()
  const names = readdirSync(sources, { recursive: true }).filter((name) => name.endsWith('.ts'))
  const written = names.map((name) => [join(sources, name), readFileSync(join(sources, name))])
  if (written.every(([file, bytes]) => before[file]?.digest === digestOf(bytes))) return
  // That stripping types is experimental is no news for whoever starts a gateway.
  process.removeAllListeners('warning')
  const plain = written.map(([file, bytes]) => [
    file,
    { digest: digestOf(bytes), text: stripTypeScriptTypes(bytes.toString()) },
  ])
  write(JSON.stringify(Object.fromEntries(plain)))
}

/**
 * Have modules read what is kept of sources that have not changed since.
 *
 * @returns what lets go of it once nearly all are loaded: the few that are loaded later read it again
 */
export function usePlainSources() {
  let plain = readKept()
  registerHooks({
    load(url, context, next) {
      const file = url.startsWith('file:') ? fileURLToPath(url) : ''
      if (!file.startsWith(sources)) return next(url, context)
      const known = (plain ?? readKept())[file]
      if (known === undefined || known.digest !== digestOf(readFileSync(file))) {
        return next(url, context)
      }
      return { format: 'module', source: known.text, shortCircuit: true }
    },
  })
  return () => {
    plain = undefined
  }
}

/** Of another Node, the result may be another. */
function digestOf(bytes) {
  return createHash('sha256').update(process.version).update(bytes).digest('base64')
}

function readKept() {
  try {
    return JSON.parse(readFileSync(kept, 'utf8')) ?? {}
  } catch {
    // There is nothing, or nothing of ours: it is made anew.
    return {}
  }
}

function write(text) {
  // Several may start at once.
  const unfinished = `${kept}.${process.pid}`
  try {
    mkdirSync(dirname(kept), { recursive: true })
    writeFileSync(unfinished, text)
    renameSync(unfinished, kept)
  } catch {
    // The folder cannot be written, such as in an image.
  }
}
