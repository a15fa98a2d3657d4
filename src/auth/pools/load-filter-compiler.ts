import type { CompileFilter } from './filter.ts'

/** Load the compiler of filters when the first one is met: what it is made of takes 5 MB. */
export function createFilterCompilerLoader(): () => Promise<CompileFilter> {
  let loading: Promise<CompileFilter> | undefined
  return () => (loading ??= load())
}

async function load(): Promise<CompileFilter> {
  return (await import('./filter.ts')).createFilterCompiler()
}
