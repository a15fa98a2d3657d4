import { writeAudit, type Actor, type AuditAction, type Subject } from './audit.ts'
import type { Database, Session } from './database.ts'

/** One change of the directory, under way in a transaction. */
export type Change = Session & {
  /**
   * Write down what happens to each subject. What is cached of the subjects is forgotten when the
   * change is over.
   *
   * @param organizationId undefined for what belongs to none, as partners do
   */
  readonly record: (
    action: AuditAction,
    organizationId: string | undefined,
    ...subjects: readonly Subject[]
  ) => Promise<void>
  /** Have other records forgotten too, those that show something of what changes. */
  readonly affects: (kind: string, ...ids: readonly string[]) => void
}

/** Make a change: all that `work` does, its audit rows included, or none of it. */
export type MakeChange = <Result>(
  actor: Actor,
  work: (change: Change) => Promise<Result>,
) => Promise<Result>

/**
 * @param forget drops what this process has cached of a record. It does so without waiting for the
 *   notification, so that whoever made a change sees it
 */
export function createMakeChange(
  { transaction }: Pick<Database, 'transaction'>,
  forget: (kind: string, id: string) => void,
): MakeChange {
  return async (actor, work) => {
    const touched: (readonly [kind: string, id: string])[] = []
    const affects: Change['affects'] = (kind, ...ids) => {
      touched.push(...ids.map((id) => [kind, id] as const))
    }
    try {
      return await transaction(({ query }) =>
        work({
          query,
          affects,
          record: async (action, organizationId, ...subjects) => {
            const kind = await writeAudit({ query }, actor, action, organizationId, subjects)
            const ids = subjects.map((each) => (typeof each === 'string' ? each : each.id))
            affects(kind, ...ids)
          },
        }),
      )
    } finally {
      // After a failure too: an unavailable database may have committed all the same.
      for (const [kind, id] of touched) forget(kind, id)
    }
  }
}
