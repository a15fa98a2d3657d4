/** The present instant in RFC 3339, made anew once a millisecond. */
export function createTimestamp(now: () => number): () => string {
  let atMs = Number.NaN
  let text = ''
  return () => {
    const nowMs = now()
    if (nowMs !== atMs) {
      atMs = nowMs
      text = new Date(nowMs).toISOString()
    }
    return text
  }
}
