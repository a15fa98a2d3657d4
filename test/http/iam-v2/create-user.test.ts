import { useApi } from '../../support/api.ts'
import { users } from '../support/collections.ts'
import { describeCreate, describeTwin } from '../support/create.ts'

const api = useApi()

describeTwin(api, users)
describeCreate(api, users, {
  address: () => '/iam/v2/users',
  name: () => 'user',
  shown: { auth_type: 'AUTH_TYPE_LOCAL' },
  refused: [
    [{}, '/email'],
    [{ email: 'nobody', full_name: 7 }, '/email', '/full_name'],
    [{ email: 'a@example.com', full_name: 'x'.repeat(256) }, '/full_name'],
  ],
})
