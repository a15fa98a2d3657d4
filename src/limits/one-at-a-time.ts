import type { CountOwner, RecordCounts } from './settlements.ts'

/** A statement that waits for its turn. */
type Waiting = {
  /** Never rejects. Resolves with why it failed, if it did. */
  readonly run: () => Promise<Failure | undefined>
  readonly fail: (error: unknown) => void
}
type Failure = { readonly error: unknown }

/**
 * Ask the record one thing at a time about each count. All that concerns a count waits for the lock
 * of one row: sent at once, it would take every connection of this process, and others would wait
 * for what one caller creates. Where one of them fails, those that wait fail alike, so that nobody
 * waits for one deadline after another.
 */
export function oneAtATime(record: RecordCounts): RecordCounts {
  const queues = new Map<string, Waiting[]>()
  return {
    reserve: (owner, ...rest) => inTurn(owner, () => record.reserve(owner, ...rest)),
    renew: (owner, ...rest) => inTurn(owner, () => record.renew(owner, ...rest)),
    release: (owner, ...rest) => inTurn(owner, () => record.release(owner, ...rest)),
    count: (owner, ...rest) => inTurn(owner, () => record.count(owner, ...rest)),
  }

  function inTurn<Result>(owner: CountOwner, work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const run = (): Promise<Failure | undefined> => {
        const result = work()
        resolve(result)
        return result.then(
          () => undefined,
          (error: unknown) => ({ error }),
        )
      }
      enqueue(`${owner.organizationId}\n${owner.quota}\n${owner.principalId ?? ''}`, {
        run,
        fail: reject,
      })
    })
  }

  function enqueue(key: string, waiting: Waiting): void {
    const queue = queues.get(key)
    if (queue !== undefined) {
      queue.push(waiting)
      return
    }
    const begun = [waiting]
    queues.set(key, begun)
    void serve(key, begun)
  }

  async function serve(key: string, queue: Waiting[]): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const failure = await next.run()
      if (failure !== undefined) for (const { fail } of queue.splice(0)) fail(failure.error)
    }
    queues.delete(key)
  }
}
