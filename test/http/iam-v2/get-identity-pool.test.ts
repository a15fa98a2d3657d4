import { useApi } from '../../support/api.ts'
import { identityPools } from '../support/collections.ts'
import { describeGet } from '../support/get.ts'

describeGet(useApi(), identityPools)
