import type { Api } from '../../support/api.ts'

/** A new cloud key of the administrator, with its secret. */
export async function anApiKey(api: Api): Promise<{
  readonly path: { readonly id: string }
  readonly secret: string
  readonly self: unknown
}> {
  const spec = { owner: { id: api.gateway.userId } }
  const { body } = await api.call('createIamV2ApiKey', { body: { spec } })
  const { secret } = body['spec'] as { secret: string }
  return { path: { id: body.id }, secret, self: body.metadata['self'] }
}
