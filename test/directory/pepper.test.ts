import { createHmac } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { folderPepper } from '../../src/directory/folder-pepper.ts'
import { createSecretDigests } from '../../src/directory/pepper.ts'
import { temporaryFolder, testOptions } from './opening.ts'

const p1 = { id: 'p1', secret: 'the first pepper' }
const p2 = { id: 'p2', secret: 'the second pepper' }

describe('a pepper', () => {
  test('is the key of HMAC-SHA-256', () => {
    const { log } = testOptions().options
    const { digestSecret } = createSecretDigests({ current: p1, previous: [] }, log)
    const expected = createHmac('sha256', 'the first pepper').update('secret').digest()
    expect(digestSecret('secret')('p1')).toEqual(expected)
  })

  test('that is replaced still verifies what was digested with it; new secrets take the new one', () => {
    const { log } = testOptions().options
    const before = createSecretDigests({ current: p1, previous: [] }, log).digestNew('old secret')
    const after = createSecretDigests({ current: p2, previous: [p1] }, log)
    expect(before.pepperId).toBe('p1')
    expect(after.digestSecret('old secret')(before.pepperId)).toEqual(before.digest)
    expect(after.digestNew('new secret').pepperId).toBe('p2')
  })

  test('that is not configured matches nothing, and is logged once', () => {
    const { lines, options } = testOptions()
    const digests = createSecretDigests({ current: p2, previous: [] }, options.log)
    const lost = createHmac('sha256', p1.secret).update('secret').digest()
    for (let n = 0; n < 3; n++) expect(digests.digestSecret('secret')('p1')).not.toEqual(lost)
    expect(lines).toMatchObject([{ level: 'error', record: { pepperId: 'p1' } }])
    expect(digests.digestSecret('secret')(undefined)).toHaveLength(32)
    expect(lines).toHaveLength(1)
  })

  test('has an id of its own', () => {
    const { log } = testOptions().options
    const twice = { current: p1, previous: [{ ...p2, id: 'p1' }] }
    expect(() => createSecretDigests(twice, log)).toThrow('Two peppers have the id p1')
  })
})

describe('the pepper of a folder', () => {
  test('is made once, and can be read by its owner alone', async () => {
    const folder = await temporaryFolder()
    const made = await folderPepper(folder)
    expect(await folderPepper(folder)).toEqual(made)
    expect((await stat(join(folder, 'pepper.json'))).mode & 0o777).toBe(0o600)
    expect((await folderPepper(await temporaryFolder())).current).not.toEqual(made.current)
  })

  test('is not replaced where its file cannot be understood', async () => {
    const folder = await temporaryFolder()
    const file = join(folder, 'pepper.json')
    await writeFile(file, '{"id":"x"}')
    await expect(folderPepper(folder)).rejects.toThrow()
    expect(await readFile(file, 'utf8')).toBe('{"id":"x"}')
  })
})
