import { Command } from 'commander'
import { expect, test } from 'vitest'
import { CliError } from '../../src/cli/api/exit.ts'
import { addCompat, type CompareFiles, type PrintedDifference } from '../../src/cli/compat.ts'

const difference: PrintedDifference = {
  rule: 'field-removed',
  demand: 'a member must stay',
  text: '"a" is gone',
  document: 'old',
  file: '/old.yaml',
  line: 12,
  pointer: '#/components/schemas/S/properties/a',
  operations: ['GET /a', 'GET /b', 'GET /c'],
}

async function run(compare: CompareFiles, ...options: readonly string[]) {
  let printed = ''
  const out = (text: string): void => {
    printed += text
  }
  const io = { env: {}, out, note: out, read: () => Promise.resolve('') }
  const program = new Command('gatehouse').option('--output <format>')
  addCompat(program, compare, io)
  try {
    await program.parseAsync(['compat', 'old.yaml', 'new.yaml', ...options], { from: 'user' })
    return { exitCode: 0, printed }
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    return { exitCode: error.exitCode, printed }
  }
}

test('compat ends with 0 where nothing breaks, and tells what is allowed', async () => {
  const found = await run(() => Promise.resolve({ breaking: [], allowed: [difference] }))
  expect(found.exitCode).toBe(0)
  expect(found.printed).toMatch(/^allowed before general availability: GET \/a and 2 more/)
  const same = await run(() => Promise.resolve({ breaking: [], allowed: [] }))
  expect(same).toEqual({ exitCode: 0, printed: 'compatible\n' })
})

test('compat ends with 1 where something breaks, and tells rule and place', async () => {
  const { exitCode, printed } = await run(() =>
    Promise.resolve({ breaking: [difference], allowed: [] }),
  )
  expect(exitCode).toBe(1)
  expect(printed).toContain('/old.yaml:12 #/components/schemas/S/properties/a')
  expect(printed).toContain('field-removed: a member must stay')
})

test('compat ends with 2 where a document cannot be read', async () => {
  const { exitCode, printed } = await run(() => Promise.reject(new Error('no such file')))
  expect({ exitCode, printed }).toEqual({ exitCode: 2, printed: '' })
})

test('compat --output json has every member', async () => {
  const found = { breaking: [difference], allowed: [] }
  const { printed } = await run(() => Promise.resolve(found), '--output', 'json')
  expect(JSON.parse(printed)).toEqual(found)
})
