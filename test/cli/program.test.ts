import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { buildProgram, type Commands } from '../../src/cli/program.ts'

/** What came of a command line: the calls it made, what it printed, and the code it would exit with. */
type Run = {
  readonly calls: readonly (readonly unknown[])[]
  readonly printed: string
  readonly exitCode: number
}

async function run(line: string): Promise<Run> {
  const calls: unknown[][] = []
  let printed = ''
  const record =
    (name: string) =>
    (...args: unknown[]) => {
      calls.push([name, ...args])
      return Promise.resolve()
    }
  const commands: Commands = {
    serve: record('serve'),
    check: record('check'),
    routes: record('routes'),
    init: record('init'),
    createKey: record('createKey'),
    bind: record('bind'),
    export: record('export'),
    import: record('import'),
    compat: () => Promise.resolve({ breaking: [], allowed: [] }),
    usageReport: record('usageReport'),
    demo: record('demo'),
  }
  const print = (text: string): void => {
    printed += text
  }
  const io = { env: {}, out: print, note: print, read: () => Promise.resolve('') }
  const program = buildProgram(commands, '1.2.3', io)
  withoutProcess(program, print)
  try {
    await program.parseAsync(line.split(' ').filter(Boolean), { from: 'user' })
    return { calls, printed, exitCode: 0 }
  } catch (error) {
    // What commander throws instead of ending the process.
    return { calls, printed, exitCode: (error as { exitCode: number }).exitCode }
  }
}

function withoutProcess(command: Command, print: (text: string) => void): void {
  command.exitOverride().configureOutput({ writeOut: print, writeErr: print })
  for (const each of command.commands) withoutProcess(each, print)
}

const configPath = 'config/gateway.yaml'
const key = { configPath, owner: 'u-1', displayName: '', expiresAtMs: undefined, output: 'table' }

test.each([
  ['serve', ['serve', configPath, 1]],
  ['serve --config a.yaml', ['serve', 'a.yaml', 1]],
  ['serve --workers 4', ['serve', configPath, 4]],
  ['check --config a.yaml', ['check', 'a.yaml']],
  ['routes', ['routes', configPath, 'table']],
  ['routes --output json', ['routes', configPath, 'json']],
  [
    'init --organization Example --email a@b.test',
    ['init', { configPath, organizationName: 'Example', userEmail: 'a@b.test', output: 'table' }],
  ],
  [
    'init --organization Example --email a@b.test --output json',
    ['init', { configPath, organizationName: 'Example', userEmail: 'a@b.test', output: 'json' }],
  ],
  [
    'init --organization E --email a@b.test --config c.yaml',
    [
      'init',
      { configPath: 'c.yaml', organizationName: 'E', userEmail: 'a@b.test', output: 'table' },
    ],
  ],
  ['usage-report', ['usageReport', { configPath: undefined, files: ['-'], output: 'table' }]],
  [
    'usage-report a.log b.log --config c.yaml --output json',
    ['usageReport', { configPath: 'c.yaml', files: ['a.log', 'b.log'], output: 'json' }],
  ],
  ['keys create --owner u-1', ['createKey', { ...key, resource: { kind: 'cloud' } }]],
  [
    'keys create --owner sa-1 --name deploy --resource global --expires 2030-01-31T00:00:00Z',
    [
      'createKey',
      {
        configPath,
        owner: 'sa-1',
        displayName: 'deploy',
        resource: { kind: 'global' },
        expiresAtMs: Date.UTC(2030, 0, 31),
        output: 'table',
      },
    ],
  ],
  [
    'keys create --owner u-1 --resource kafka-cluster:lkc-1',
    [
      'createKey',
      {
        ...key,
        resource: {
          kind: 'resource',
          resourceKind: 'kafka-cluster',
          id: 'lkc-1',
          environment: undefined,
        },
      },
    ],
  ],
  [
    'keys create --owner u-1 --resource flink-region:aws.us-east-1@env-1',
    [
      'createKey',
      {
        ...key,
        resource: {
          kind: 'resource',
          resourceKind: 'flink-region',
          id: 'aws.us-east-1',
          environment: 'env-1',
        },
      },
    ],
  ],
  [
    'bind --organization o --principal u-1 --role Viewer',
    ['bind', { configPath, organization: 'o', principal: 'u-1', role: 'Viewer', on: undefined }],
  ],
  [
    'bind --organization o --principal u-1 --role Viewer --on crn://a/organization=o/* --config c.yaml',
    [
      'bind',
      {
        configPath: 'c.yaml',
        organization: 'o',
        principal: 'u-1',
        role: 'Viewer',
        on: 'crn://a/organization=o/*',
      },
    ],
  ],
  ['export a.jsonl', ['export', configPath, 'a.jsonl']],
  ['import a.jsonl --config c.yaml', ['import', 'c.yaml', 'a.jsonl']],
  ['demo', ['demo', { host: '127.0.0.1', port: 8_082 }]],
  ['demo --host ::1 --port 0', ['demo', { host: '::1', port: 0 }]],
])('gatehouse %s asks for just that', async (line, call) => {
  expect(await run(line)).toEqual({ calls: [call], printed: '', exitCode: 0 })
})

describe('what is mistyped is told, and nothing is done', () => {
  test.each([
    ['sevre', "unknown command 'sevre'"],
    ['serve extra', 'too many arguments'],
    ['serve --confg a.yaml', "unknown option '--confg'"],
    ['serve --config', 'argument missing'],
    ['routes --output yaml', 'It is one of: table, json.'],
    ['init --organization Example', "required option '--email <address>' not specified"],
    ['keys create', "required option '--owner <id>' not specified"],
    ['keys create --owner u-1 --resource kafka', 'It is cloud, global, KIND:ID'],
    ['keys create --owner u-1 --resource Kafka:x', 'It is cloud, global, KIND:ID'],
    ['keys create --owner u-1 --resource kafka:@env-1', 'It is cloud, global, KIND:ID'],
    ['keys create --owner u-1 --expires tomorrow', 'It is a time such as'],
    ['keys create --owner u-1 --expires 1', 'It is a time such as'],
    ['keys create --owner u-1 --expires 2030-01-31T00:00', 'It is a time such as'],
    ['keys create --owner u-1 --expires 2030-13-31T00:00Z', 'It is a time such as'],
    ['bind --organization o --role R', "required option '--principal <id>' not specified"],
    ['export', "missing required argument 'file'"],
    ['import a b', 'too many arguments'],
    ['demo --port 65536', 'It is a port between 0 and 65535.'],
    ['demo --port -1', 'It is a port between 0 and 65535.'],
    ['demo --port 1e3', 'It is a port between 0 and 65535.'],
    ['demo --port=', 'It is a port between 0 and 65535.'],
  ])('gatehouse %s', async (line, message) => {
    const { calls, printed, exitCode } = await run(line)
    expect(printed).toContain(message)
    expect({ calls, exitCode }).toEqual({ calls: [], exitCode: 1 })
  })
})

test('without a command it lists the commands', async () => {
  const { calls, printed } = await run('')
  expect(calls).toEqual([])
  for (const name of [
    'serve',
    'check',
    'routes',
    'init',
    'keys',
    'bind',
    'export',
    'import',
    'demo',
  ]) {
    expect(printed).toMatch(new RegExp(`^ +${name} `, 'm'))
  }
})

test('it says its version', async () => {
  expect(await run('--version')).toEqual({ calls: [], printed: '1.2.3\n', exitCode: 0 })
})
