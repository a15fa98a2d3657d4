/** Numbers that follow from a seed: the same every time. */
export type Random = {
  /** A whole number from 0 up to, and without, `below`. */
  below(below: number): number
  pick<Value>(values: readonly Value[]): Value
}

/** @see https://github.com/cprosche/mulberry32 (public domain) */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (bound: number): number => Math.floor(next() * bound)
  return {
    below,
    pick(values) {
      const picked = values[below(values.length)]
      if (picked === undefined) throw new Error('There is nothing to pick from')
      return picked
    },
  }
}

type Mutation = (request: string, random: Random, corpus: readonly string[]) => string

/**
 * Change a recorded request in one to four ways, by bytes and by structure.
 *
 * @param request in latin1: one character for each byte
 * @param corpus other requests, to be joined with
 */
export function mutate(request: string, random: Random, corpus: readonly string[]): string {
  let mutated = request
  for (let left = 1 + random.below(4); left > 0; left--) {
    mutated = random.pick(mutations)(mutated, random, corpus)
  }
  return mutated.slice(0, 60_000)
}

const oddBytes = ['\0', '\r', '\n', '\r\n', '\t', ' ', '\x0b', '\x1b', '\x7f', '\x80', '\xff']
const oddTexts = [
  '%2e%2e',
  '%2f',
  '%5c',
  '%00',
  '..',
  '//',
  '\\',
  ';',
  '@',
  '#',
  '?',
  '*',
  ':',
  ',',
  '"',
]
const oddFields = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: 99999999999999999999',
  'Host: other',
  'Connection: close, gatehouse-principal-id, authorization, content-length',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'Gatehouse-Principal-Id: forged',
  'Gatehouse_Principal_Id: forged',
  'X-Request-Id: forged',
  'X-Forwarded-For: 6.6.6.6',
  'X-HTTP-Method-Override: DELETE',
  'Authorization: Basic Zm9yZ2VkOmZvcmdlZA==',
  'TE: trailers',
  'Trailer: Host',
  '__proto__: x',
]

const mutations: readonly Mutation[] = [
  (request, random) => inserted(request, random, random.pick(oddBytes)),
  (request, random) => inserted(request, random, random.pick(oddTexts)),
  (request, random) => replaced(request, random, String.fromCharCode(random.below(256))),
  (request, random) => request.slice(0, random.below(request.length + 1)),
  function withoutPiece(request, random) {
    const at = random.below(request.length + 1)
    return request.slice(0, at) + request.slice(at + 1 + random.below(8))
  },
  (request, random) => withLine(request, random, random.pick(oddFields)),
  function lineTwice(request, random) {
    const lines = request.split('\r\n')
    return withLine(request, random, lines[random.below(lines.length)] ?? '')
  },
  function linesSwapped(request, random) {
    const lines = request.split('\r\n')
    const [moved = ''] = lines.splice(random.below(lines.length), 1)
    lines.splice(random.below(lines.length + 1), 0, moved)
    return lines.join('\r\n')
  },
  (request, random) => request.replace('\r\n', random.pick(['\n', '\r', '\r\r\n', '\r\n '])),
  (request, random) =>
    request.replace(
      /HTTP\/1\.1/,
      random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.1 x']),
    ),
  (request, random) =>
    request.replace(
      /^[A-Z]+/,
      random.pick(['TRACE', 'CONNECT', 'HEAD', 'OPTIONS', 'PATCH', 'get', 'G\0T', 'PRI']),
    ),
  (request, random, corpus) => request + random.pick(corpus),
  (request, random) => inserted(request, random, 'a'.repeat(random.pick([300, 9_000, 20_000]))),
  (request, random) =>
    withLine(request, random, 'X: y\r\n'.repeat(random.pick([10, 120, 2_500])).trim()),
]

function inserted(request: string, random: Random, text: string): string {
  const at = random.below(request.length + 1)
  return request.slice(0, at) + text + request.slice(at)
}

function replaced(request: string, random: Random, text: string): string {
  const at = random.below(request.length + 1)
  return request.slice(0, at) + text + request.slice(at + 1)
}

/** Behind one of the lines of the head. */
function withLine(request: string, random: Random, line: string): string {
  const lines = request.split('\r\n')
  lines.splice(1 + random.below(Math.max(lines.indexOf('', 1), 1)), 0, line)
  return lines.join('\r\n')
}
