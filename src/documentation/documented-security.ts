import { definitionOf, memberAt, rootOf, type Cursor } from '../catalog/cursor.ts'
import { isObject } from '../catalog/json.ts'
import type { CredentialKind } from '../auth/policy.ts'
import type { DocumentedOperation } from './audience.ts'
import type { Components } from './components.ts'
import type { Json } from './json.ts'

/**
 * The `security` of an operation as it is enforced: made from what the catalog compiled, not from
 * what the document says. The schemes are described as in the document, unless that contradicts how
 * the credential is presented here.
 */
export function documentedSecurity(
  operation: DocumentedOperation,
  components: Components,
): readonly Json[] {
  if (operation.security.every((alternative) => alternative.length === 0)) return []
  return operation.security.map((alternative) =>
    Object.fromEntries(
      alternative.map(({ scheme, kind, scopes }) => {
        const name = scheme.replace('#/components/securitySchemes/', '')
        const described = schemeOf(operation, name, kind, components)
        return [components.add('securitySchemes', name, operation.group.name, described), scopes]
      }),
    ),
  )
}

function schemeOf(
  { source, group }: DocumentedOperation,
  name: string,
  kind: CredentialKind,
  { copy }: Components,
): Json {
  const defined = ['components', 'securitySchemes', name].reduce<Cursor | undefined>(
    (at, member) => at && memberAt(at, member),
    rootOf(source.document),
  )
  const written = defined && copy(definitionOf(defined), 'securitySchemes', group.name)
  const scheme = kind.endsWith('api-key') ? 'basic' : 'bearer'
  return isObject(written) && isPresentedAs(written, scheme) ? written : { type: 'http', scheme }
}

function isPresentedAs({ type, scheme }: Json, presented: 'basic' | 'bearer'): boolean {
  if (type === 'http') return String(scheme).toLowerCase() === presented
  return presented === 'bearer' && (type === 'oauth2' || type === 'openIdConnect')
}
