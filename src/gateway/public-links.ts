/** Where a group is for its callers, and where its instances are. */
export type PublicPlace = {
  /** Undefined where none is configured: links are then paths. */
  readonly publicOrigin: string | undefined
  readonly mount: string
  /** URLs of the instances, with the paths that go before the forwarded one. */
  readonly instances: readonly string[]
}

/** A reference of the upstream as callers can follow it; what does not lead to an instance stays. */
export type PublicLink = (reference: string) => string

/**
 * How references to an upstream become references to us: an instance's origin and path give way to the
 * public origin and the mount. Ours never come from a Host field, which a caller chooses.
 *
 * @see RFC 9110 §10.2.2 (Location is a URI reference)
 */
export function createPublicLink({ publicOrigin, mount, instances }: PublicPlace): PublicLink {
  const places = instances.map((instance) => {
    const { origin, pathname } = new URL(instance)
    return { origin, prefix: pathname.replace(/\/$/, '') }
  })
  // Of two prefixes that both fit, the longer one is meant.
  places.sort((one, other) => other.prefix.length - one.prefix.length)

  return (reference) => {
    const absolute = absoluteReference.exec(reference)
    if (absolute === null && !absolutePath.test(reference)) return reference
    // What is no URL has the origin of no instance.
    const origin = absolute === null ? undefined : (URL.parse(absolute[1] ?? '')?.origin ?? '')
    const path = absolute === null ? reference : (absolute[2] ?? '')
    for (const place of places) {
      if (origin !== undefined && origin !== place.origin) continue
      const rest = behind(place.prefix, path)
      if (rest !== undefined) return publicReference(origin, rest) ?? reference
    }
    return reference
  }

  function publicReference(origin: string | undefined, rest: string): string | undefined {
    const path = mount + (mount === '' && !rest.startsWith('/') ? `/${rest}` : rest)
    if (origin !== undefined && publicOrigin !== undefined) return publicOrigin + path
    // `//host` would lead to another host, which the upstream did not say.
    return absolutePath.test(path) ? path : undefined
  }
}

/** Browsers take `\\` for `/`. */
const absolutePath = /^\/(?![/\\])/
const absoluteReference = /^(https?:\/\/[^/?#\\]+)([/?#].*)?$/i

/** What stands behind a prefix that ends at the end of a segment; undefined where it does not. */
function behind(prefix: string, path: string): string | undefined {
  if (!path.startsWith(prefix)) return undefined
  const rest = path.slice(prefix.length)
  return rest === '' || /^[/?#]/.test(rest) ? rest : undefined
}
