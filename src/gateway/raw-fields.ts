// Fields as names and values in turn, as received. Names to look for are in lower case.

/** The value of one field, or undefined; the last where there are several. */
export function fieldOf(raw: readonly string[], name: string): string | undefined {
  return valuesOf(raw, name).at(-1)
}

/** Every value of one field, in order. */
export function valuesOf(raw: readonly string[], name: string): readonly string[] {
  let values: string[] | undefined
  for (let index = 0; index < raw.length; index += 2) {
    const each = raw[index]
    if (each?.length === name.length && each.toLowerCase() === name) {
      values ??= []
      values.push(raw[index + 1] ?? '')
    }
  }
  return values ?? none
}

/** All values of one field as one list (RFC 9110 §5.3), or undefined where there is none. */
export function listOf(raw: readonly string[], name: string): string | undefined {
  const values = valuesOf(raw, name)
  return values.length === 0 ? undefined : values.join(', ')
}

const none: readonly string[] = []
