import { z } from 'zod'

/** What of an object of the API experiments look at. */
const objectSchema = z.object({
  id: z.string().optional(),
  description: z.string().optional(),
  metadata: z
    .object({
      next: z.string().optional(),
      prev: z.string().optional(),
      last: z.string().optional(),
      total_size: z.number().optional(),
    })
    .optional(),
  data: z.array(z.object({ id: z.string() })).optional(),
})

export type ApiAnswer = {
  readonly status: number
  readonly etag: string
  readonly body: z.infer<typeof objectSchema>
}

export type ApiCall = {
  readonly method?: 'GET' | 'POST' | 'PATCH'
  readonly path: string
  readonly body?: unknown
  readonly ifMatch?: string
}

/** Sends calls of one caller to the gateways' own API. */
export type ApiClient = (call: ApiCall, gateway?: number) => Promise<ApiAnswer>

const deadlineMs = 10_000

/**
 * @param urls one for each gateway; asked anew at each call
 * @returns rejects where there is no answer
 */
export function createApiClient(urls: () => readonly string[], authorization: string): ApiClient {
  return async ({ method = 'GET', path, body, ifMatch }, gateway = 0) => {
    const all = urls()
    const response = await fetch(`${all[gateway % all.length] ?? ''}${path}`, {
      method,
      headers: {
        authorization,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
      },
      signal: AbortSignal.timeout(deadlineMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      etag: response.headers.get('etag') ?? '',
      body: objectSchema.parse(text === '' ? {} : JSON.parse(text)),
    }
  }
}

/** Of a call that broke: none. */
export async function statusOf(answer: Promise<ApiAnswer>): Promise<number | undefined> {
  return answer.then(
    ({ status }) => status,
    () => undefined,
  )
}

export const serviceAccounts = '/iam/v2/service-accounts'
