/** Why the API groups do not make a catalog: every mistake at once, each naming its group. */
export class CatalogError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(['The API groups do not compile:', ...problems].join('\n  '))
    this.name = 'CatalogError'
    this.problems = problems
  }
}
