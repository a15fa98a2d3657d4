import { useApi } from '../../support/api.ts'
import { serviceAccounts } from '../support/collections.ts'
import { describeGet } from '../support/get.ts'

describeGet(useApi(), serviceAccounts)
