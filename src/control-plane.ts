import { createAddressPolicy } from './auth/keys/address-policy.ts'
import { createFilterCompilerLoader } from './auth/pools/load-filter-compiler.ts'
import type { Configuration } from './config/schema.ts'
import type { Directory } from './directory/directory.ts'
import { createGovernanceService } from './governance/app.ts'
import type { Explain } from './governance/explanations.ts'
import type { Services } from './groups.ts'
import { createIamService } from './iam/app.ts'
import { createOrgService } from './org/app.ts'
import { createQuotaService } from './quota/app.ts'
import type { ReadAppliedQuotas } from './quota/parts.ts'
import { createPageTokens } from './resource-api/page-token.ts'
import type { SigningKeyAdministration } from './signing.ts'

/** Put together the gateway's own APIs over the directory. */
export function createControlPlane(
  { crnAuthority, roles, operators, tokens }: Configuration,
  publicOrigin: string,
  directory: Directory,
  signingKeys: SigningKeyAdministration,
  explain: Explain,
  readAppliedQuotas: ReadAppliedQuotas,
): Pick<Services, 'iam' | 'org' | 'gatehouse' | 'quota'> {
  const pageTokens = createPageTokens(directory.deriveKeys('gatehouse page tokens 1'))
  const parts = { publicOrigin, crnAuthority, pageTokens, directory }
  const isOperator = (organizationId: string): boolean => operators.includes(organizationId)
  const loadFilterCompiler = createFilterCompilerLoader()
  const { allowAddresses, allowHttp } = tokens.identityProviders
  const { flawOf } = createAddressPolicy({ allow: allowAddresses, allowHttp })
  const mayFetch = (url: string): boolean => flawOf(url) === undefined
  return {
    iam: createIamService({ ...parts, roles, loadFilterCompiler, mayFetch }),
    org: createOrgService(parts),
    quota: createQuotaService({ ...parts, readAppliedQuotas }),
    gatehouse: createGovernanceService({ ...parts, isOperator, signingKeys, explain }),
  }
}
