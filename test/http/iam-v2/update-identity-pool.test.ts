import { useApi } from '../../support/api.ts'
import { identityPools } from '../support/collections.ts'
import { describeUpdate } from '../support/update.ts'

describeUpdate(useApi(), identityPools, {
  change: (unique) => ({ filter: `claims.aud == "${unique}"` }),
  cleared: { patch: { description: null }, shown: { description: '' } },
  refused: [
    [{ filter: 'claims.aud ==' }, '/filter'],
    [{ filter: null }, '/filter'],
    [{ identity_claim: 'sub' }, '/identity_claim'],
    [{ principal: 'pool-other' }, '/principal'],
    [{ state: 'SLEEPING' }, '/state'],
  ],
})
