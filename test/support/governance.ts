import { useApi, type Api } from './api.ts'

/**
 * A gateway for the tests of `gatehouse/v1`: the administrator is of the operator's organization,
 * the stranger is the administrator of a customer's.
 */
export function useGovernance(limits?: Readonly<Record<string, unknown>>): Api {
  return useApi(limits, ['iam', 'gatehouse'])
}
