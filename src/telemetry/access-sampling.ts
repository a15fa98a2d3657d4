import type { AccessRecord } from './access-line.ts'

/**
 * Decide which access records are written. Only what went as it should is left out: what was refused
 * or failed, broke off, was decided without Redis, or will end one day, is always there.
 *
 * @param ratio of the others that are written, from 0 to 1
 * @param random from 0 to 1
 */
export function createAccessSampling(
  ratio: number,
  random: () => number,
): (record: AccessRecord) => boolean {
  if (ratio >= 1) return () => true
  return (record) => !isUneventful(record) || random() < ratio
}

function isUneventful(record: AccessRecord): boolean {
  const { verdict, status, complete, degraded, shadow, stage } = record
  return (
    (verdict === 'forwarded' || verdict === 'documentation') &&
    Number(status) < 400 &&
    complete === true &&
    degraded === undefined &&
    shadow === undefined &&
    stage === undefined
  )
}
