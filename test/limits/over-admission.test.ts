import { expect, it } from 'vitest'
import { overAdmission } from '../../src/over-admission.ts'
import { configurationOf, smallest } from '../config/written.ts'

it('of shares taken ahead, what may be left unused is told; of other limits nothing', async () => {
  const rate = { requests: 100_000, windowSeconds: 10 }
  const ahead = { ...rate, tokenLease: { share: 250 } }
  const classes = {
    standard: { user: rate, organization: ahead },
    bulk: { operations: [{ name: 'reads', methods: ['GET'], user: ahead }] },
  }
  const limits = { replicas: 4, classes: { standard: classes.standard } }
  const configuration = await configurationOf({ ...smallest, limits: { replicas: 4, classes } })
  expect(overAdmission(configuration).trimEnd().split('\n').slice(-3)).toEqual([
    'TOKENS TAKEN AHEAD  SCOPE         SHARE  UNUSED AT MOST',
    'standard            organization  250    1000 of 100000',
    'bulk.reads          user          250    1000 of 100000',
  ])
  const without = { ...limits, classes: { standard: { user: rate } } }
  expect(overAdmission(await configurationOf({ ...smallest, limits: without }))).not.toContain(
    'TOKENS',
  )
})
