/**
 * The one deadline that a connection has at a time. One timer serves them all: it is set anew where a
 * deadline comes before it, and otherwise looks, when it goes off, what is due by then. Setting a timer
 * for each step of each request costs more than the rest of keeping time.
 */
export class Deadline<Name> {
  readonly #onDue: (name: Name) => void
  #name: Name | undefined
  #atMs = Infinity
  #timer: NodeJS.Timeout | undefined
  #timerAtMs = Infinity

  /** @param onDue told which deadline has passed; the timer keeps no process alive */
  constructor(onDue: (name: Name) => void) {
    this.#onDue = onDue
  }

  /** In place of the deadline before. */
  set(name: Name, withinMs: number): void {
    this.#name = name
    this.#atMs = performance.now() + withinMs
    if (this.#atMs >= this.#timerAtMs) return
    clearTimeout(this.#timer)
    this.#setTimer(withinMs)
  }

  /** Nothing is due until the next `set`. */
  lift(): void {
    this.#name = undefined
    this.#atMs = Infinity
  }

  /** For good. */
  close(): void {
    this.lift()
    clearTimeout(this.#timer)
  }

  #setTimer(withinMs: number): void {
    this.#timerAtMs = performance.now() + withinMs
    this.#timer = setTimeout(this.#onTimer, withinMs).unref()
  }

  readonly #onTimer = (): void => {
    this.#timerAtMs = Infinity
    const name = this.#name
    if (name === undefined) return
    const leftMs = this.#atMs - performance.now()
    // Timers may go off within a millisecond before their time.
    if (leftMs > 0.5) this.#setTimer(leftMs)
    else this.#onDue(name)
  }
}
