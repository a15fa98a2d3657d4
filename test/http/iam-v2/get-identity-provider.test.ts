import { useApi } from '../../support/api.ts'
import { identityProviders } from '../support/collections.ts'
import { describeGet } from '../support/get.ts'

describeGet(useApi(), identityProviders)
