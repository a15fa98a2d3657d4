/** Objects of one kind, as the command line knows them. */
export type Resource = {
  /** The command, for example `api-keys`. */
  readonly command: string
  readonly kind: string
  /** Of the collection; `{parent}` stands for the id of what it is within. */
  readonly path: string
  /** The option that names what it is within. */
  readonly parent?: { readonly option: string; readonly description: string }
  /** Headings of a table and where their values stand. */
  readonly columns: readonly (readonly [heading: string, path: string])[]
  /** Options of `create` and `update`, and which member each sets. */
  readonly options: readonly ResourceOption[]
  /** Options of `list`, and which parameter of the query each sets. */
  readonly filters?: readonly ResourceFilter[]
  /** What tells two objects of a kind apart for people: `apply` finds by it what is there already. */
  readonly naturalKey: readonly string[]
  /** Members that tell two of them apart too, where they have them. */
  readonly alsoToldBy?: readonly string[]
  readonly verbs: readonly Verb[]
  /** Whether an object has a secret, and may have a second one for a while. */
  readonly hasSecrets?: boolean
}

type Verb = 'list' | 'describe' | 'create' | 'update' | 'delete'

type ResourceFilter = {
  readonly name: string
  readonly description: string
  readonly parameter: string
  /** The member that the parameter is of, where `apply` has to look among others than usual. */
  readonly member?: string
}

export type ResourceOption = {
  readonly name: string
  readonly description: string
  /** Dotted path of the member. */
  readonly member: string
  readonly isRequired?: boolean
  /** What a text means, where the member is no text. */
  readonly read?: (text: string) => unknown
  /** Given more than once, it makes a list. */
  readonly isList?: boolean
}

export const allVerbs: readonly Verb[] = ['list', 'describe', 'create', 'update', 'delete']
