import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { until } from '../support/until.ts'

const source = new URL('../../src/telemetry/log.ts', import.meta.url).href

/** A process that logs; its lines as they arrive, and whether it has ended. */
function logging(level: string, code: string) {
  const script = `import { openLog } from ${JSON.stringify(source)}
const log = openLog(${JSON.stringify(level)})
${code}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let text = ''
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString()
  })
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve()
    })
  })
  return { child, ended, text: () => text }
}

async function linesOf(level: string, code: string): Promise<readonly Record<string, unknown>[]> {
  const { ended, text } = logging(level, code)
  await ended
  const lines = text().split('\n')
  expect(lines.pop()).toBe('')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

const thousands = 'for (let i = 0; i < 5_000; i += 1) log.info({ i })'
const accesses = 'for (let i = 0; i < 5_000; i += 1) log.access({ i })'

test.each([
  ['when it has nothing more to do', thousands],
  ['when it ends after a flush', `${thousands}\nlog.flush()\nprocess.exit(0)`],
  ['when it ends without one', `${thousands}\nprocess.exit(0)`],
  ['when it ends by a bug', `${thousands}\nthrow new Error('a bug')`],
  ['with an access log', accesses],
  ['with an access log, without a flush', `${accesses}\nprocess.exit(0)`],
  ['when it ends later', `${thousands}\nsetTimeout(() => log.info({ i: 5_000 }), 1)`],
])('a process that ends by itself has written every line, in order: %s', async (_, code) => {
  const lines = await linesOf('info', code)
  expect(lines.length).toBeGreaterThanOrEqual(5_000)
  expect(lines.map(({ i }) => i)).toEqual(lines.map((_line, index) => index))
})

test('a line is one JSON object, whatever it holds', async () => {
  const [line, ...others] = await linesOf(
    'info',
    `log.info({ text: 'a\\nb\\u2028c\\x1b[31m"\\\\\\0', big: 'x'.repeat(20_000), no: undefined }, 'said\\nso')`,
  )
  expect(others).toEqual([])
  expect(line).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    text: 'a\nb\u2028c\x1b[31m"\\\0',
    big: 'x'.repeat(20_000),
    msg: 'said\nso',
  })
})

test('an error is told with its cause', async () => {
  const [line] = await linesOf(
    'info',
    `log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed')`,
  )
  expect(line).toMatchObject({ level: 'error', msg: 'failed', err: { message: 'outer: inner' } })
})

const one = `log.info({}); log.warn({}); log.error({}); log.fatal({})`

test.each([
  ['trace', ['info', 'warn', 'error', 'fatal']],
  ['info', ['info', 'warn', 'error', 'fatal']],
  ['warn', ['warn', 'error', 'fatal']],
  ['error', ['error', 'fatal']],
  ['fatal', ['fatal']],
  ['silent', []],
])('at the level %s come %j', async (level, levels) => {
  expect((await linesOf(level, one)).map((line) => line['level'])).toEqual(levels)
})

test('a line is written soon without a flush, so a killed process loses the newest at most', async () => {
  const { child, ended, text } = logging(
    'info',
    `log.info({}, 'soon'); setInterval(() => 0, 1_000)`,
  )
  await until(() => text().endsWith('\n'))
  child.kill('SIGKILL')
  await ended
  expect(text()).toContain('"msg":"soon"')
})
