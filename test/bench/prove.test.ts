import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lineOf, type Experiment } from '../../bench/prove/experiment.ts'
import { closedLoop, openLoop, pause, percentile } from '../../bench/prove/load.ts'
import { noise, noiseDigest } from '../../bench/prove/noise.ts'
import { parseOptions } from '../../bench/prove/options.ts'
import { failuresIn } from '../../bench/prove/steady-load.ts'

function prove(...args: readonly string[]) {
  const script = resolve(import.meta.dirname, '../../bench/prove/run.ts')
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
}

describe('the command', () => {
  test('lists every experiment with a sentence, and what it accepts', () => {
    const { stdout, status } = prove('--list')
    expect(status).toBe(0)
    for (const name of ['exactness', 'slots', 'redis-down', 'redis-frozen', 'memory', 'streams']) {
      expect(stdout).toMatch(new RegExp(`^${name}\\n  [A-Z].*\\.$`, 'm'))
    }
    expect(stdout).toMatch(
      /^exactness\n.*\n {2}Against a deployment: --url --key --limit --window$/m,
    )
  })

  test.each([
    [['nope'], 'There is no experiment nope; --list shows them\n'],
    [['memory', 'nope'], 'There is no experiment nope; --list shows them\n'],
    [[], 'Name an experiment; --list shows them\n'],
    [['redis-down', '--url', 'http://127.0.0.1'], 'redis-down does not accept --url\n'],
  ])('ends with status 2 and runs nothing for %j', (args, message) => {
    expect(prove(...args)).toMatchObject({ status: 2, stdout: '', stderr: message })
  })

  test('prints a line and ends with status 1 where an experiment gives no figure', () => {
    const { status, stdout } = prove('memory', '--pid', '999999999')
    expect([status, stdout]).toEqual([
      1,
      'memory: no figure: Process 999999999 does not tell its memory short\n',
    ])
  })
})

test('a line is the name, the figure, the goal and the verdict', () => {
  const outcome = { figure: '1,001 admitted', goal: 'exactly 1,000', isMet: false }
  expect(lineOf('exactness', outcome)).toBe('exactness: 1,001 admitted (goal: exactly 1,000) short')
  expect(lineOf('exactness', { ...outcome, isMet: true })).toMatch(/\) ok$/)
})

describe('options', () => {
  const experiment: Experiment = {
    name: 'one',
    shows: 'Something',
    accepts: ['url', 'key', 'limit', 'window', 'pid'],
    run: () => Promise.reject(new Error('not run')),
  }
  const parse = (...args: readonly string[]) => parseOptions(['one', ...args], [experiment])

  test('say for how many minutes, where an experiment takes that', () => {
    const long = { ...experiment, accepts: ['minutes'] } as const
    const asked = parseOptions(['one', '--minutes', '30'], [long])
    expect(asked).toMatchObject({ kind: 'run', minutes: 30, deployment: undefined })
    expect(() => parseOptions(['one', '--minutes', '0'], [long])).toThrow('whole number')
    expect(() => parse('--minutes', '30')).toThrow('one does not accept --minutes')
  })

  test('describe a deployment', () => {
    const key = 'K:s:3'
    const urls = ['https://a.test/x', 'https://b.test/x']
    const given = urls.flatMap((url) => ['--url', url])
    expect(parse(...given, '--key', key, '--limit', '10', '--window', '60')).toEqual({
      kind: 'run',
      experiments: [experiment],
      deployment: {
        urls,
        authorization: `Basic ${Buffer.from(key).toString('base64')}`,
        limit: 10,
        windowSeconds: 60,
        pid: undefined,
      },
    })
    expect(parse()).toMatchObject({ deployment: undefined })
  })

  test.each([
    ['--url', 'ftp://a'],
    ['--url', 'a'],
    ['--key', 'no-colon'],
    ['--key', 'file:/nonexistent'],
    ['--limit', '0'],
    ['--limit', '10'],
    ['--pid', '1x'],
    ['--unknown', '1'],
  ])('%s %s is refused', (option, value) => {
    expect(() => parse(option, value)).toThrow()
  })
})

test('noise is what it says, the same every time, and does not repeat', () => {
  const pieces = [...noise(200_000)]
  const whole = Buffer.concat(pieces)
  expect(whole).toHaveLength(200_000)
  expect(noiseDigest(200_000)).toBe(createHash('sha256').update(whole).digest('hex'))
  expect(new Set(pieces.map((piece) => piece.toString('hex'))).size).toBe(pieces.length)
})

test('a closed loop runs a task as often as it is told, and no more at once', async () => {
  let running = 0
  let peak = 0
  const indexes: number[] = []
  await closedLoop(50, 4, async (index) => {
    running += 1
    peak = Math.max(peak, running)
    await new Promise(setImmediate)
    indexes.push(index)
    running -= 1
  })
  expect(peak).toBe(4)
  expect(indexes.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i))
})

test('an open loop begins tasks while earlier ones hang, and waits for all at its end', async () => {
  let ended = 0
  let release: () => void = () => undefined
  const gate = new Promise<void>((done) => {
    release = done
  })
  const loop = openLoop(1_000, async () => {
    await gate
    ended += 1
  })
  while (loop.begun() < 10) await pause(1)
  expect(ended).toBe(0)
  release()
  await loop.stop()
  expect(ended).toBe(loop.begun())
})

test('a percentile is one of the values, the last of them the longest', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  expect([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)]).toEqual([
    51, 100, 100,
  ])
})

test('whatever is neither admitted nor refused by a limit counts as a failure', () => {
  const statuses = new Map<number | 'broken', number>([
    [200, 5],
    [429, 3],
    [502, 2],
    ['broken', 1],
    [401, 4],
  ])
  expect(failuresIn([{ latenciesMs: [], statuses }])).toBe(7)
})
