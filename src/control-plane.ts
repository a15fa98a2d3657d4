import { createFilterCompiler } from './auth/pools/filter.ts'
import type { Configuration } from './config/schema.ts'
import type { Directory } from './directory/directory.ts'
import type { Services } from './groups.ts'
import { createIamService } from './iam/app.ts'
import { createOrgService } from './org/app.ts'
import { createPageTokens } from './resource-api/page-token.ts'

/** Put together the gateway's own APIs over the directory. */
export function createControlPlane(
  { crnAuthority, roles }: Configuration,
  publicOrigin: string,
  directory: Directory,
): Pick<Services, 'iam' | 'org'> {
  const pageTokens = createPageTokens(directory.deriveKeys('gatehouse page tokens 1'))
  const parts = { publicOrigin, crnAuthority, pageTokens, directory }
  const compileFilter = createFilterCompiler()
  return {
    iam: createIamService({ ...parts, roles, compileFilter }),
    org: createOrgService(parts),
  }
}
