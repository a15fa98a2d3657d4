import { useApi } from '../../support/api.ts'
import { apiKeys } from '../support/collections.ts'
import { describeGet } from '../support/get.ts'

describeGet(useApi(), apiKeys)
