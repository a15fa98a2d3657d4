import { closedLoop } from '../../bench/prove/load.ts'
import { openScene, statusesIn, type Scene } from '../hostile/scene.ts'
import type { RecordedRequest } from '../support/recording-upstream.ts'
import { createRandom, mutate, type Random } from './mutate.ts'
import { volley } from './volley.ts'

/** How much is tried; whichever bound is met first ends it. */
export type FuzzBounds = {
  readonly seed: number
  readonly count: number
  readonly deadlineMs: number
}

export type FuzzReport = {
  readonly sent: number
  /** How many mutants reached the upstream: those that are still sound requests of a known caller. */
  readonly forwarded: number
  /** What must never be, each with the bytes that led to it. */
  readonly violations: readonly string[]
}

/**
 * Mutate recorded requests and hold what must be true of every answer and of whatever is forwarded.
 * Half of them carry no credential that is good: of these nothing may pass.
 */
export async function fuzz({ seed, count, deadlineMs }: FuzzBounds): Promise<FuzzReport> {
  const scene = await openScene()
  const deadline = performance.now() + deadlineMs
  const random = createRandom(seed)
  const violations: string[] = []
  let sent = 0
  const run = async (corpus: readonly string[], times: number): Promise<number> => {
    scene.upstream.reset()
    await closedLoop(times, atOnce, async () => {
      if (performance.now() > deadline) return
      sent += 1
      violations.push(...(await shoot(scene, corpus, random)))
    })
    await honest(scene, violations)
    return scene.upstream.requests.length - 1
  }
  try {
    const stranger = await run(recorded('Authorization: Basic Zm9yZ2VkOmZvcmdlZA==\r\n'), count / 2)
    if (stranger > 0) violations.push(`${stranger} requests without a good credential passed`)
    const forwarded = await run(recorded(scene.authorization), count / 2)
    const { userId } = scene.gateway
    violations.push(...scene.upstream.requests.flatMap((request) => alterations(request, userId)))
    return { sent, forwarded, violations }
  } finally {
    await scene.close()
  }
}

const atOnce = 32

function recorded(authorization: string): readonly string[] {
  const head = (line: string): string => `${line} HTTP/1.1\r\nHost: a\r\n${authorization}`
  return [
    `${head('GET /x?a=b')}Accept: */*\r\nUser-Agent: fuzz\r\n\r\n`,
    `${head('GET /things/one%2Ftwo')}X-Trace: 1\r\nCookie: a=b; c=d\r\n\r\n`,
    `${head('GET http://a/x')}\r\n`,
    `${head('POST /x')}Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello`,
    `${head('POST /x')}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;a=b\r\nyou\r\n0\r\nT: u\r\n\r\n`,
    `${head('POST /x')}Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`,
    `${head('OPTIONS /x')}Origin: https://b\r\nAccess-Control-Request-Method: GET\r\n\r\n`,
  ]
}

async function shoot(
  { gateway }: Scene,
  corpus: readonly string[],
  random: Random,
): Promise<readonly string[]> {
  const mutant = mutate(random.pick(corpus), random, corpus)
  const received = await volley(gateway.port, mutant)
  const wrong = wrongIn(received)
  return wrong === undefined ? [] : [`${wrong} for ${JSON.stringify(mutant.slice(0, 500))}`]
}

const allowed = [100, 200, 400, 401, 404, 405, 408, 413, 414, 417, 421, 431, 501]

function wrongIn(received: string): string | undefined {
  if (received !== '' && !received.startsWith('HTTP/1.1 ')) return 'bytes that are no answer'
  const status = statusesIn(received).find((each) => !allowed.includes(each))
  return status === undefined ? undefined : `status ${status}`
}

/** What of a forwarded request does not agree with who sent it. */
function alterations({ method, url, rawHeaders }: RecordedRequest, userId: string): string[] {
  const values = (name: string): string[] =>
    rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1] === name)
  const sound =
    ['GET', 'HEAD', 'POST', 'OPTIONS'].includes(method) &&
    /^\/(?:x|things\/[^/\\]+(?:\/parts)?)(?:\?[\x21-\x7e]*)?$/.test(url) &&
    !/(?:^|\/)\.{1,2}(?:[/?;]|$)/.test(url) &&
    values('gatehouse-principal-id').join() === userId &&
    values('x-request-id').length === 1 &&
    values('authorization').length === 0 &&
    !/forged/.test(
      rawHeaders
        .filter((_, index) => /^(?:gatehouse|x-request)/i.test(rawHeaders[index - 1] ?? ''))
        .join(),
    )
  return sound ? [] : [`forwarded: ${JSON.stringify([method, url, rawHeaders])}`]
}

async function honest(scene: Scene, violations: string[]): Promise<void> {
  const text = await scene.attack(
    `GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${scene.authorization}\r\n`,
  )
  if (statusesIn(text).join() !== '200') violations.push(`an honest caller got ${text}`)
}
