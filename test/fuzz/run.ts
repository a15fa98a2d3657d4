import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { fuzz } from './fuzz.ts'

// What `npm run fuzz` runs. A run is repeated by its seed: npm run fuzz -- --seed N

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    count: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '240' },
  },
})
const seed = Number(values.seed)
process.stdout.write(`seed ${seed}\n`)
const report = await fuzz({
  seed,
  count: Number(values.count),
  deadlineMs: Number(values.seconds) * 1_000,
})
for (const violation of report.violations) process.stdout.write(`${violation}\n`)
process.stdout.write(
  `${report.sent} mutants, ${report.forwarded} requests forwarded, ${report.violations.length} violations\n`,
)
process.exit(report.violations.length === 0 ? 0 : 1)
