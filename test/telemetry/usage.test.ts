import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { accessLine } from '../../src/telemetry/access-line.ts'
import { createUsageReport, linesOf } from '../../src/telemetry/usage.ts'
import { usageReport } from '../../src/usage-report.ts'

function line(day: number, principal: string, stage: string | undefined = 'deprecated'): string {
  const record = { operation: 'a/v1 GET /a', principal, organization: 'o-1', stage }
  return accessLine(`2026-11-0${day}T00:00:00.000Z`, record)
}

async function gathered(pieces: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const each of linesOf(Readable.from(pieces) as AsyncIterable<string>)) lines.push(each)
  return lines
}

test('calls are counted by operation, organization and principal, in any order of time', () => {
  const report = createUsageReport()
  for (const each of [line(3, 'u-1'), line(1, 'u-1', 'sunset'), line(2, 'u-2')]) report.add(each)
  expect(report.rows()).toEqual([
    {
      operation: 'a/v1 GET /a',
      stage: 'deprecated',
      organization: 'o-1',
      principal: 'u-1',
      count: 2,
      first: '2026-11-01T00:00:00.000Z',
      last: '2026-11-03T00:00:00.000Z',
    },
    expect.objectContaining({ principal: 'u-2', count: 1 }),
  ])
})

test('whatever else stands in a log is passed over', () => {
  const report = createUsageReport()
  const cut = line(1, 'u-1').slice(0, -20)
  const others = ['', 'text', '"stage":', 'null', '["\\"stage\\":"]', cut, '{"stage":"deprecated"}']
  for (const each of [...others, accessLine('never', { stage: 'deprecated', operation: 'a' })])
    report.add(each)
  report.add(accessLine('2026-11-01T00:00:00Z', { operation: 'a', path: '"stage":"deprecated"' }))
  report.add('{"time":"2026-11-01T00:00:00Z","operation":"a","stage":"preview"}')
  expect(report.rows()).toEqual([])
})

test('however many callers there are, so many are told apart and the others counted', () => {
  const report = createUsageReport(2)
  for (const principal of ['u-1', 'u-2', 'u-3', 'u-1', '__proto__']) report.add(line(1, principal))
  expect(report.rows().map(({ principal, count }) => [principal, count])).toEqual([
    ['u-1', 2],
    ['u-2', 1],
  ])
  expect(report.uncounted()).toBe(2)
})

test('lines are found across pieces, and one without an end is not gathered', async () => {
  expect(await gathered(['a', 'b\nc\n', '\nd'])).toEqual(['ab', 'c', '', 'd'])
  const long = Array.from({ length: 20 }, () => 'x'.repeat(10_000))
  expect(await gathered(['a\n', ...long, '\nb\n', ...long])).toEqual(['a', 'b'])
})

test('the report of files tells when operations end, as a table and as JSON', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-usage-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const files = [join(folder, 'a.log'), join(folder, 'b.log')]
  for (const file of files) await writeFile(file, line(1, 'u-1'))
  const sunsets = new Map([['a/v1 GET /a', new Date('2027-06-01T00:00:00Z')]])
  const { rows, uncounted } = JSON.parse(await usageReport(files, sunsets, 'json')) as {
    rows: unknown
    uncounted: unknown
  }
  expect(rows).toEqual([expect.objectContaining({ count: 2, sunset: '2027-06-01T00:00:00.000Z' })])
  expect(uncounted).toBe(0)
  const shown = await usageReport(files, new Map(), 'table')
  expect(shown.split('\n')[1]).toMatch(/^a\/v1 GET \/a +deprecated +- +o-1 +u-1 +2 +2026-11-01/)
})
