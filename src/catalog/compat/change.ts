import type { Cursor } from '../cursor.ts'

/**
 * What breaks a program that was written against the document before, by the name of the rule. Whatever
 * is not here is compatible: new operations, optional parameters, members, statuses and media types,
 * values of open enums (`x-extensible-enum`), another order, other lengths and forms of ids.
 */
export const rules = {
  'operation-removed': 'an operation that callers use must stay',
  'base-path-changed': 'the paths that callers use must stay',
  'stage-lowered': 'what was promised for an operation must stay promised',
  'sunset-earlier': 'an announced end must not come earlier',
  'notice-too-short': 'an end must be announced 180 days before',
  'security-narrowed': 'whatever opened an operation must go on opening it',
  'scheme-changed': 'credentials must go on being presented in the same way',
  'parameter-removed': 'a parameter that callers send must keep its effect',
  'parameter-required': 'what callers need not send must stay optional',
  'parameter-form-changed': 'the form in which a parameter is written must stay',
  'body-removed': 'a body that callers send must keep its effect',
  'body-required': 'a body that callers need not send must stay optional',
  'media-type-removed': 'a media type that callers send or ask for must stay',
  'status-removed': 'the statuses of success must stay',
  'header-removed': 'a header field that callers read must stay',
  'field-removed': 'a member that callers send or read must stay',
  'field-required': 'a member that callers need not send must stay optional',
  'field-not-promised': 'a member that was always there must stay so',
  'type-changed': 'what callers send must stay legal, and what they read must not widen',
  'format-changed': 'the form of a value must stay',
  'enum-narrowed': 'every value that callers may send must stay legal',
  'enum-widened': 'a closed list of values that callers read must not grow',
  'constraint-changed': 'bounds of what callers send must not narrow, of what they read not widen',
  'default-changed': 'what it means to leave something out must stay',
  'alternative-removed': 'every alternative that callers may send must stay legal',
  'alternative-added': 'a closed list of alternatives that callers read must not grow',
} as const

export type Rule = keyof typeof rules

/** One difference that breaks callers, at one place. */
export type Change = {
  readonly rule: Rule
  /** What is different, in a few words. */
  readonly text: string
  /** In the document before where something is gone, else in the one after. */
  readonly at: Cursor
  readonly document: 'old' | 'new'
}

export type Direction = 'request' | 'response'

export function gone(rule: Rule, at: Cursor, text: string): Change {
  return { rule, at, text, document: 'old' }
}

export function became(rule: Rule, at: Cursor, text: string): Change {
  return { rule, at, text, document: 'new' }
}
