import { useApi } from '../../support/api.ts'
import { environments } from '../support/collections.ts'
import { describeGet } from '../support/get.ts'

describeGet(useApi(), environments)
