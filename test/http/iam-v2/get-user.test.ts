import { useApi } from '../../support/api.ts'
import { users } from '../support/collections.ts'
import { describeGet } from '../support/get.ts'

describeGet(useApi(), users)
