import { describe, expect, test } from 'vitest'
import { compileRoles, rolesHolding } from '../../../src/auth/roles/role.ts'

const operations = [
  operation('iam/v2', 'GET', '/iam/v2/api-keys', 'listApiKeys'),
  operation('iam/v2', 'POST', '/iam/v2/api-keys', 'createApiKey'),
  operation('iam/v2', 'DELETE', '/iam/v2/api-keys/{id}', 'deleteApiKey'),
  operation('iam/v2', 'GET', '/iam/v2/users/{id}', undefined),
  operation('org/v2', 'GET', '/org/v2/environments', 'listEnvironments'),
  operation('iam/v2x', 'GET', '/iam/v2x/users', 'listUsers'),
]

function operation(group: string, method: string, path: string, operationId: string | undefined) {
  return { id: `${group} ${method} ${path}`, operationId, method, path, group: { name: group } }
}

type Patterns = Parameters<typeof compileRoles>[0][string]['operations']

/** The operations of a role, without their groups where that is plain. */
function held(...patterns: Patterns): readonly string[] {
  const { roles, problems } = compileRoles({ Role: { operations: patterns } }, operations)
  expect(problems).toEqual([])
  return [...(roles.get('Role') ?? [])]
}

describe('a role holds the operations', () => {
  test('of a group by its whole name', () => {
    expect(held({ group: 'iam/v2' })).toHaveLength(4)
    expect(held({ group: 'iam/*' })).toHaveLength(5)
    expect(held({ group: '*' })).toHaveLength(operations.length)
  })

  test('that all parts of a pattern mean, and any of several patterns', () => {
    expect(held({ group: '*', methods: ['GET'], path: '/iam/v2/*' })).toEqual([
      'iam/v2 GET /iam/v2/api-keys',
      'iam/v2 GET /iam/v2/users/{id}',
    ])
    expect(
      held({ group: 'iam/v2', operationId: '*ApiKey' }, { group: 'org/v2', methods: ['GET'] }),
    ).toEqual([
      'iam/v2 POST /iam/v2/api-keys',
      'iam/v2 DELETE /iam/v2/api-keys/{id}',
      'org/v2 GET /org/v2/environments',
    ])
    expect(held({ group: 'iam/v2', path: '/iam/v2/users/{id}' })).toHaveLength(1)
  })

  test('and no others: all but the star is text', () => {
    const { roles, problems } = compileRoles(
      {
        Dots: { operations: [{ group: 'iam.v2' }] },
        Case: { operations: [{ group: 'IAM/V2' }, { group: 'iam/v2', methods: ['get'] }] },
        Mixed: { operations: [{ group: 'iam/v2' }, { group: 'iam/v2', operationId: 'nope' }] },
        Part: { operations: [{ group: 'iam/v2', path: '/iam/v2/api-keys/' }] },
      },
      operations,
    )
    expect(problems).toEqual([
      'role "Dots": operations.0 names no operation',
      'role "Case": operations.0 names no operation',
      'role "Case": operations.1 names no operation',
      'role "Mixed": operations.1 names no operation',
      'role "Part": operations.0 names no operation',
    ])
    expect(roles.get('Dots')?.size).toBe(0)
  })
})

test('an operation tells the roles that hold it', () => {
  const definitions = {
    Admin: { operations: [{ group: '*' }] },
    Viewer: { operations: [{ group: '*', methods: ['GET'] }] },
  }
  const { roles } = compileRoles(definitions, operations)
  expect(rolesHolding(roles, 'iam/v2 GET /iam/v2/api-keys')).toEqual(['Admin', 'Viewer'])
  expect(rolesHolding(roles, 'iam/v2 POST /iam/v2/api-keys')).toEqual(['Admin'])
  expect(rolesHolding(roles, 'nothing')).toEqual([])
})
