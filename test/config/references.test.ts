import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configurationOf, problemsOf, read, smallest } from './written.ts'

const secret = 'canary-4711-canary-4711-canary-4711-canary'

describe('${NAME}', () => {
  test('is the variable, also within text and more than once', async () => {
    const { publicOrigin, redis } = await configurationOf(
      {
        ...smallest,
        publicOrigin: 'https://${HOST}:${PORT}',
        redis: { url: '${REDIS_URL}', keyPrefix: '${A}${A}' },
      },
      { environment: { HOST: 'a.test', PORT: '8443', REDIS_URL: 'redis://r', A: 'x' } },
    )
    expect([publicOrigin, redis.url, redis.keyPrefix]).toEqual([
      'https://a.test:8443',
      'redis://r',
      'xx',
    ])
  })

  test('is a number or a flag where the schema wants one, and text where it wants text', async () => {
    const { listen, limits, directory } = await configurationOf(
      {
        ...smallest,
        listen: { public: { host: '${NUMBER}', port: '${NUMBER}' } },
        directory: { pepper: { current: { id: '${NUMBER}', secret } } },
        limits: { classes: { standard: { user: { concurrent: '${NUMBER}' } } } },
      },
      { environment: { NUMBER: '8000' } },
    )
    expect(listen.public).toMatchObject({ host: '8000', port: 8000 })
    expect(directory.pepper?.current.id).toBe('8000')
    expect(limits.classes['standard']?.user.concurrent).toBe(8000)
  })

  test('that is not set is one problem, at its place, by its name', async () => {
    const text = {
      ...smallest,
      redis: { url: '${REDIS_URL}' },
      listen: { admin: { port: '${P}' } },
    }
    expect(await problemsOf(text)).toEqual([
      'gateway.yaml:20:5 redis.url The environment variable REDIS_URL is not set',
      'gateway.yaml:24:7 listen.admin.port The environment variable P is not set',
    ])
  })

  test.each(['toString', '__proto__', 'constructor'])('%s is no variable', async (name) => {
    expect(await problemsOf({ ...smallest, publicOrigin: `\${${name}}` })).toEqual([
      expect.stringContaining(`The environment variable ${name} is not set`),
    ])
  })

  test.each(['${', '${}', '${A', '${A-b}', '${A:-${B}}', '${1A}', '$${A'])(
    '%s is told to be no reference',
    async (text) => {
      const environment = { A: 'x', B: 'y' }
      const configuration = { ...smallest, redis: { keyPrefix: `a${text}` } }
      expect(await problemsOf(configuration, { environment })).toEqual([
        'gateway.yaml:20:5 redis.keyPrefix A reference must be ${NAME} or ${NAME:-default}',
      ])
    },
  )

  test('is not looked for again in what a variable holds, nor in keys', async () => {
    const { redis, limits } = await configurationOf(
      {
        ...smallest,
        redis: { url: '${REDIS_URL}' },
        limits: { classes: { standard: {}, '${A}': {} } },
      },
      { environment: { REDIS_URL: 'redis://${A}', A: 'x' } },
    )
    expect(redis.url).toBe('redis://${A}')
    expect(Object.keys(limits.classes)).toContain('${A}')
  })
})

describe('${NAME:-default}', () => {
  const keyPrefix = async (text: string, environment = {}): Promise<string> =>
    (await configurationOf({ ...smallest, redis: { keyPrefix: text } }, { environment })).redis
      .keyPrefix

  test('is the default where the variable is absent or empty, as in a shell', async () => {
    expect(await keyPrefix('${A:-b}')).toBe('b')
    expect(await keyPrefix('${A:-b}', { A: '' })).toBe('b')
    expect(await keyPrefix('${A:-b}', { A: 'c' })).toBe('c')
  })

  test('may have an empty default', async () => {
    const { redis } = await configurationOf({ ...smallest, redis: { url: '${A:-}' } })
    expect(redis.url).toBe('')
  })
})

describe('file:', () => {
  const pepper = (text: string): object => ({
    ...smallest,
    directory: { pepper: { current: { id: '1', secret: text } } },
  })
  const secretOf = async (bytes: string): Promise<string | undefined> =>
    (await configurationOf(pepper('file:pepper'), { files: { pepper: bytes } })).directory.pepper
      ?.current.secret

  test('is the content, beside the configuration, without its final line break', async () => {
    expect(await secretOf(`${secret}\n`)).toBe(secret)
    expect(await secretOf(`${secret}\r\n`)).toBe(secret)
    expect(await secretOf(`${secret}\n\n`)).toBe(`${secret}\n`)
    expect(await secretOf(` ${secret}`)).toBe(` ${secret}`)
  })

  test('may come from a variable, and serves URLs and older peppers too', async () => {
    const files = { url: 'redis://r', database: 'postgresql://d', old: `${secret}-old` }
    const { redis, directory } = await configurationOf(
      {
        ...smallest,
        redis: { url: '${URL_FILE}' },
        directory: {
          url: 'file:database',
          pepper: { current: { id: '2', secret }, previous: [{ id: '1', secret: 'file:old' }] },
        },
      },
      { environment: { URL_FILE: 'file:url' }, files },
    )
    expect(redis.url).toBe('redis://r')
    expect(directory.url).toBe('postgresql://d')
    expect(directory.pepper?.previous).toEqual([{ id: '1', secret: `${secret}-old` }])
  })

  test('is plain text where no secret stands', async () => {
    const { listen } = await configurationOf({
      ...smallest,
      listen: { public: { host: 'file:x' } },
    })
    expect(listen.public.host).toBe('file:x')
  })

  test('what is in the file is not expanded', async () => {
    expect(await secretOf(`\${A} ${secret}`)).toBe(`\${A} ${secret}`)
  })

  test.each([
    ['is not there', {}, 'The file cannot be read: ENOENT'],
    ['is empty', { pepper: '' }, 'The file is empty'],
    ['holds a line break only', { pepper: '\n' }, 'The file is empty'],
    ['is longer than a secret can be', { pepper: 'x'.repeat(65_537) }, 'The file is too long'],
    ['is no text', { pepper: Buffer.from([0xff, 0xfe]) }, 'The file cannot be read'],
  ])('is one problem where the file %s', async (_, files, message) => {
    expect(await problemsOf(pepper('file:pepper'), { files })).toEqual([
      expect.stringMatching(
        new RegExp(`^gateway\\.yaml:23:9 directory\\.pepper\\.current\\.secret ${message}`),
      ),
    ])
  })

  test('ends with a problem at a device without an end', async () => {
    expect(await problemsOf(pepper('file:/dev/zero'))).toEqual([
      expect.stringContaining('The file is too long'),
    ])
  })
})

describe('no message holds a secret', () => {
  const environment = { SECRET: secret }
  const files = { secret }
  const everywhere = [
    { redis: { url: '${SECRET}' } },
    { redis: { url: 'file:secret' } },
    { redis: { url: 'file:${SECRET}' } },
    { redis: { keyPrefix: '${SECRET}!' } },
    { directory: { url: 'mysql://u:${SECRET}@h' } },
    { directory: { pepper: { current: { id: '${SECRET}${SECRET}', secret: 'short' } } } },
    { directory: { url: 'postgres://', pepper: '${SECRET}' } },
    { publicOrigin: 'https://u:${SECRET}@h' },
    { transport: { trustedProxies: ['${SECRET}'] } },
    { listen: { public: { port: '${SECRET}' } } },
    { log: { level: '${SECRET}' } },
    { apiGroups: [{ ...smallest.apiGroups[0], limitClass: '${SECRET}' }] },
    { apiGroups: [0, 1].map(() => ({ ...smallest.apiGroups[0], name: '${SECRET}' })) },
    { apiGroups: [{ ...smallest.apiGroups[0], upstream: { urls: ['http://u:${SECRET}@h'] } }] },
  ]

  test.each(everywhere.map((members) => [JSON.stringify(members), members] as const))(
    'of %s',
    async (_, members) => {
      const problems = await problemsOf({ ...smallest, ...members }, { environment, files })
      expect(problems).not.toEqual([])
      expect(problems.join('\n')).not.toContain(secret)
    },
  )

  test.each(['"unended', '*alias', '{', '[1', '!tag x', '@x', '- a: b: c', '"\\q"', '\t%'])(
    'of a variable that holds %s, which YAML would stumble over',
    async (text) => {
      const password = `${text}${secret}`
      const members = { redis: { url: '${A}' }, listen: { public: { port: '${A}' } } }
      const problems = await problemsOf(
        { ...smallest, ...members },
        { environment: { A: password } },
      )
      expect(problems).toHaveLength(2)
      expect(problems.join('\n')).not.toContain(secret)
    },
  )
})

test('documents and the embedded directory are beside the configuration, wherever the process runs', async () => {
  const outcome = await read({ ...smallest, directory: { folder: 'data' } })
  if ('problems' in outcome) throw new Error(outcome.problems.join('\n'))
  const { folder, configuration } = outcome
  expect(configuration.directory.folder).toBe(join(folder, 'data'))
  expect(configuration.apiGroups[0]?.document).toBe(join(folder, 'apis/demo.yaml'))
  const absolute = { ...smallest, directory: { folder: '/var/lib/gatehouse' } }
  expect((await configurationOf(absolute)).directory.folder).toBe('/var/lib/gatehouse')
})
