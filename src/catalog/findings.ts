/** Where the parts of compilation report, so that the operator learns of every mistake at once. */
export type Findings = {
  /** Something that must be changed before the catalog can be used. */
  readonly problem: (text: string) => void
  /** Something that works, but may not be what is meant. */
  readonly warning: (text: string) => void
}

/** Findings in the order of their report; the same text is kept once. */
export type CollectedFindings = Findings & {
  readonly problems: () => readonly string[]
  readonly warnings: () => readonly string[]
}

export function collectFindings(): CollectedFindings {
  const problems = new Set<string>()
  const warnings = new Set<string>()
  return {
    problem: (text) => problems.add(text),
    warning: (text) => warnings.add(text),
    problems: () => [...problems],
    warnings: () => [...warnings],
  }
}

/** Findings that say where they were made. */
export function within(place: string, findings: Findings): Findings {
  return {
    problem: (text) => {
      findings.problem(`${place}: ${text}`)
    },
    warning: (text) => {
      findings.warning(`${place}: ${text}`)
    },
  }
}
