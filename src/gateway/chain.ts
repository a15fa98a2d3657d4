import { Hono } from 'hono'
import type { Authenticate } from '../auth/authenticate.ts'
import type { AssertIdentity } from '../auth/own/assertion.ts'
import type { AuthorizeByRoles } from '../auth/roles/authorize.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Admit, AdmitAddress, BeginCounting } from '../limits/admission.ts'
import type { Tracing } from '../telemetry/tracing.ts'
import type { WriteAccess } from './access-log.ts'
import type { ApiGroup } from './api-group.ts'
import type { GatewayEnv } from './exchange.ts'
import { inOrder, type Step } from './in-order.ts'
import type { LoadShedding } from './load-shedding.ts'
import { admitStep } from './steps/admit.ts'
import { authenticateStep } from './steps/authenticate.ts'
import { authorizeStep, type FindGrants } from './steps/authorize.ts'
import { countStep } from './steps/count.ts'
import { documentationStep } from './steps/documentation.ts'
import { forwardStep } from './steps/forward.ts'
import { lifecycleStep } from './steps/lifecycle.ts'
import { matchStep } from './steps/match.ts'
import { observeStep } from './steps/observe.ts'
import { refuse } from './steps/refuse.ts'
import { referenceStep, type Reference } from './steps/reference.ts'
import { requireHttpsStep } from './steps/require-https.ts'
import { requireRoleStep } from './steps/require-role.ts'
import { shedStep } from './steps/shed.ts'
import { traceStep } from './steps/trace.ts'
import { upgradeStep } from './steps/upgrade.ts'
import { validateStep } from './steps/validate.ts'
import { vouchStep } from './steps/vouch.ts'

/** What the chain decides with; each part knows nothing of the others. */
export type ChainParts = {
  /** The catalog in force; asked once a request, so that it can be exchanged while requests run. */
  readonly catalog: () => Catalog<ApiGroup>
  /** Undefined: what is served is not documented. */
  readonly reference?: Reference | undefined
  /** Undefined: as many requests are taken as come. */
  readonly shed?: LoadShedding['refuse'] | undefined
  readonly authenticate: Authenticate
  /** Name, in lower case, of the field by which callers name identity pools. */
  readonly poolField: string
  readonly authorizeByRoles: AuthorizeByRoles
  readonly findGrants: FindGrants
  readonly admit: Admit
  readonly admitAddress: AdmitAddress
  readonly beginCounting: BeginCounting
  readonly assertIdentity: AssertIdentity
  readonly publicOrigin: string
  /** How long a client may pause within its request body. */
  readonly idleTimeoutMs: number
  /** How long a connection may rest on which nobody was known yet. */
  readonly headersTimeoutMs: number
  readonly writeAccess: WriteAccess
  /** Undefined: a caller's trace context passes as any other field. */
  readonly beginTrace?: Tracing['begin'] | undefined
}

/**
 * A request's way, in order. Ingress has run before: it reads the head that everything here trusts.
 *
 * No two steps can be swapped: credentials are not read on an insecure connection, nobody learns
 * by a 401 or 429 what a 404 would not say, nothing is counted for a caller who is not known, and
 * nothing is forwarded that was not admitted.
 */
export function createChain(parts: ChainParts): Hono<GatewayEnv> {
  // Hono's own path is decoded and normalised, so its router must not decide by it.
  const chain = new Hono<GatewayEnv>({ getPath: () => '/' })
  const onRefusal = refuse(parts.publicOrigin, parts.headersTimeoutMs)
  const steps: readonly Step[] = [
    ...(parts.beginTrace === undefined ? [] : [traceStep(parts.beginTrace)]),
    observeStep(parts.writeAccess),
    requireHttpsStep(),
    documentationStep(),
    ...(parts.reference === undefined ? [] : [referenceStep(parts.reference, parts)]),
    matchStep(parts.catalog),
    upgradeStep(),
    ...(parts.shed === undefined ? [] : [shedStep(parts.shed)]),
    authenticateStep(parts.authenticate, parts.admitAddress, parts.poolField),
    requireRoleStep(parts.authorizeByRoles),
    authorizeStep(parts.findGrants),
    lifecycleStep(),
    admitStep(parts.admit, parts.admitAddress),
    validateStep(parts.idleTimeoutMs),
    countStep(parts.beginCounting),
    vouchStep(parts.assertIdentity),
    forwardStep(parts.idleTimeoutMs),
  ]
  chain.all('/', inOrder(steps, onRefusal))
  chain.onError(onRefusal)
  return chain
}
