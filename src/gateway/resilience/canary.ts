import { listOf } from '../raw-fields.ts'

/** Which requests go to other instances than the usual ones. */
export type CanaryOptions = {
  readonly instances: readonly { readonly url: string; readonly weight: number }[]
  /** Percent of the requests; or else `header`. */
  readonly weight?: number | undefined
  /** Name, in lower case, and value of a field. */
  readonly header?: { readonly name: string; readonly value: string } | undefined
}

/** Whether a request is one for the canary; asked once for each. */
export type IsForCanary = (rawHeaders: readonly string[]) => boolean

/** By weight, every so many requests one goes there: no run of them meets what is new. */
export function createIsForCanary({ weight = 0, header }: CanaryOptions): IsForCanary {
  if (header !== undefined) return (rawHeaders) => listOf(rawHeaders, header.name) === header.value
  let owed = 0
  return () => {
    owed += weight
    if (owed < 100) return false
    owed -= 100
    return true
  }
}
