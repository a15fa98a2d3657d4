import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parseLoadResult } from '../../bench/load.ts'
import { occurrences } from '../../bench/occurrences.ts'
import { parseOptions } from '../../bench/options.ts'
import { cpuMicrosOf, parseBusy, parseRss, parseSchedstat } from '../../bench/proc.ts'
import { parseStubStatus } from '../../bench/upstream.ts'

test('CPU time of a thread is the first number of its schedstat, in microseconds', () => {
  expect(parseSchedstat('2247707000 699252 2\n')).toBe(2_247_707)
})

test('a process that has ended counts as no CPU time', () => {
  expect(parseSchedstat('')).toBe(0)
  expect(cpuMicrosOf([2 ** 30])).toBe(0)
})

test('CPU time of a process grows while it works', () => {
  const start = cpuMicrosOf([process.pid])
  const end = performance.now() + 50
  while (performance.now() < end) Math.sqrt(end)
  expect(cpuMicrosOf([process.pid])).toBeGreaterThan(start)
})

test('resident memory is VmRSS alone, in MB', () => {
  const status = 'Name:\tnode\nVmHWM:\t  999999 kB\nVmRSS:\t  100000 kB\nRssAnon:\t   50000 kB\n'
  expect(parseRss(status)).toBe(102.4)
})

test('busy time leaves out idle and waiting for disks, and counts stolen time once', () => {
  const text = 'cpu  100 20 300 10000 500 6 7 8 90 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n'
  expect(parseBusy(text)).toBe((100 + 20 + 300 + 6 + 7 + 8) * 10_000)
})

test('the upstream counts requests, not connections', () => {
  const text =
    'Active connections: 65 \nserver accepts handled requests\n 1066 1067 74083 \nReading: 0 Writing: 2 Waiting: 63 \n'
  expect(parseStubStatus(text)).toBe(74_083)
  expect(() => parseStubStatus('<html>404</html>')).toThrow('no stub_status')
})

test('what wrk says is read from its line of JSON', () => {
  const summary = {
    requests: 30_000,
    durationMicros: 3_000_123,
    p50Micros: 2_900,
    p99Micros: 6_300,
    badStatus: 0,
    brokenConnections: 0,
  }
  const output = `Running 3s test @ http://127.0.0.1:8080\n  1 threads and 50 connections\n${JSON.stringify(summary)}\n`
  expect(parseLoadResult(output)).toEqual(summary)
})

test('a load generator that did not finish is an error, not a figure', () => {
  expect(() => parseLoadResult('unable to connect to 127.0.0.1:1\n')).toThrow('no summary')
})

test('options that are not known are refused', () => {
  expect(() => parseOptions(['--rounds', '5'])).toThrow()
  expect(() => parseOptions(['--windows', 'many'])).toThrow('--windows must be a number')
  expect(() => parseOptions(['--parts', 'load,speed'])).toThrow('not speed')
})

test('a mark in a log is counted once, in what was written since the last look', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-test-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  const file = join(folder, 'log')
  writeFileSync(file, 'mark, and a second mark\n')
  const take = occurrences(file, 'mark')
  expect(take()).toBe(2)
  expect(take()).toBe(0)
  appendFileSync(file, 'one more mark\n')
  expect(take()).toBe(1)
})
