import type { Refusal } from './refusal.ts'

/** A form that was posted, and what came with it. */
export type FormRequest = {
  /** The parameters that the endpoint knows. */
  readonly form: ReadonlyMap<string, string>
  /** The raw Authorization field value, or undefined where the field is absent. */
  readonly authorization: string | undefined
  readonly requestId: string
}

/** What is answered with 200: a JSON object, or nothing. */
type Answer =
  | { readonly kind: 'answer'; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: 'done' }

/** One endpoint that takes forms. */
export type Endpoint = {
  readonly parameters: ReadonlySet<string>
  /** @throws {GatewayError} DIRECTORY_UNAVAILABLE */
  readonly handle: (request: FormRequest) => Promise<Answer | Refusal>
}
