/**
 * Issuers that serve many customers, so that anybody can have a token of them. A pool of theirs must
 * say whose tokens it takes.
 */
export const sharedIssuers: readonly string[] = [
  'https://accounts.google.com',
  'https://token.actions.githubusercontent.com',
  'https://gitlab.com',
  'https://app.terraform.io',
  'https://agent.buildkite.com',
]
