/** A JSON object that is made here. */
export type Json = Record<string, unknown>
