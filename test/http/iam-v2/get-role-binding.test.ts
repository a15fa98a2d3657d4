import { useApi } from '../../support/api.ts'
import { roleBindings } from '../support/collections.ts'
import { describeGet } from '../support/get.ts'

describeGet(useApi(), roleBindings)
