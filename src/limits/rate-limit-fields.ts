/**
 * How the `RateLimit` fields name a limit, as structured fields (RFC 9651).
 *
 * @see draft-ietf-httpapi-ratelimit-headers-10
 */
export type DescribedPolicy = {
  /** The String that stands for it. */
  readonly item: string
  /** The value of `RateLimit-Policy`: every window and quota that applies to the request. */
  readonly policies: string
}

/** What is told of a window or quota. */
type Describable = { readonly name: string; readonly requests: number; readonly windowMs: number }

/** Describe the windows and quotas of a request once, so that each answer only adds what is left. */
export function describePolicies<Window extends Describable>(
  windows: readonly Window[],
): readonly (Window & { readonly described: DescribedPolicy })[] {
  const policies = windows.map(policyOf).join(', ')
  return windows.map((window) => ({
    ...window,
    described: { item: stringItem(window.name), policies },
  }))
}

/** `q` is the limit, `w` its time in whole seconds; what is counted is requests, the default unit. */
function policyOf({ name, requests, windowMs }: Describable): string {
  return `${stringItem(name)};q=${requests};w=${Math.ceil(windowMs / 1_000)}`
}

/** RFC 9651 §4.1.6: visible ASCII, with quotes and backslashes escaped; names may be anything. */
function stringItem(text: string): string {
  const ascii = text.replaceAll(/[^\x20-\x7e]/g, '?')
  return `"${ascii.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
