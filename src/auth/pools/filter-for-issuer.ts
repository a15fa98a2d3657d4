import type { CompileFilter, Filter } from './filter.ts'
import { problem, type FilterProblem } from './filter-problem.ts'

/**
 * Compile a filter that is about to be written for an issuer. Anybody can have a token of an issuer
 * that serves many customers, so there the filter must pin `sub` or `aud`.
 *
 * @param sharedIssuers such as `https://accounts.google.com`
 */
export function compileForIssuer(
  compile: CompileFilter,
  text: string,
  issuer: string,
  sharedIssuers: readonly string[],
): Filter | FilterProblem {
  const filter = compile(text)
  if (
    filter.kind === 'problem' ||
    filter.constrainsCaller ||
    !isSharedIssuer(issuer, sharedIssuers)
  )
    return filter
  return problem(
    'unconstrained',
    'Many customers share this issuer. Require a value of "claims.sub" or "claims.aud" in every case.',
  )
}

/** Whether many customers share an issuer, with or without a slash at the end: Google, for one, has used several spellings. */
export function isSharedIssuer(issuer: string, sharedIssuers: readonly string[]): boolean {
  const plain = (text: string): string => text.replace(/^https?:\/\//, '').replace(/\/$/, '')
  return sharedIssuers.some((shared) => plain(shared) === plain(issuer))
}
